// SPDX-License-Identifier: MIT
// Reads the documents NAME.json beside this file as other people's programs do: redocly's linter, the
// generator openapi-typescript, and the compiler over types.ts, which uses what was generated.
//
//     node check.mjs NAME...
import { readFileSync, writeFileSync } from "node:fs";
import redocly from "@redocly/openapi-core";
import openapiTS, { astToString } from "openapi-typescript";
import ts from "typescript";

const names = process.argv.slice(2);
const config = await redocly.createConfig({
	extends: ["recommended-strict"],
	// the descriptions of two dialects write their paths with a slash at the end
	rules: { "no-path-trailing-slash": "off" },
});
const problems = [];
for (const name of names) {
	const source = readFileSync(`${name}.json`, "utf8");
	for (const found of await redocly.lintFromString({ source, absoluteRef: `${name}.json`, config }))
		problems.push(`${name}.json: ${found.ruleId}: ${found.message} ${found.location[0]?.pointer}`);
	writeFileSync(`${name}.ts`, astToString(await openapiTS(source)));
}
const program = ts.createProgram(["types.ts"], { noEmit: true, strict: true, types: [] });
for (const found of ts.getPreEmitDiagnostics(program)) {
	const line = found.file?.getLineAndCharacterOfPosition(found.start).line + 1;
	const text = ts.flattenDiagnosticMessageText(found.messageText, " ");
	problems.push(`${found.file?.fileName}:${line}: ${text}`);
}
console.log([...problems, `${names.length} documents, ${problems.length} problems`].join("\n"));
process.exit(problems.length > 0 ? 1 : 0);
