#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes C from sql/queries/: for each file a struct of its parameters, a struct of its row, and a
function that runs it, so that no call binds by position or reads by number.

    statements.py OUT.c OUT.h FILE.sql...

A query begins with comments: what it does, and after an empty comment line its signature.

    -- parameters: email text, client text      used in the query as :email and :client
    -- row: pk bigint, id uuid                  one row at most; its columns, in order
    -- rows: pk bigint, id uuid                 several
    -- conflict: users_email                    unique constraints that the caller handles

Each kind of line may be missing, and goes on in lines that are indented. The types are text, bytea,
bigint, boolean and uuid.
"""
import re
import sys
import textwrap
from pathlib import Path

from embed import literal, write

HEAD = "/* SPDX-License-Identifier: MIT */\n/* Made by src/statements.py. */\n"

C_TYPES = {"text": "struct text", "bytea": "struct text", "bigint": "int64_t", "boolean": "bool",
           "uuid": "struct uuid"}
WORDS = ("parameters", "row", "rows", "conflict")


class Statement:
    """One file of sql/queries/: its signature, and its text with $1, $2 instead of names."""

    def __init__(self, path):
        self.name = Path(path).stem
        lines = Path(path).read_text().splitlines()
        head = [l[3:] for l in lines if l.startswith("--")]
        body = "\n".join(l for l in lines if not l.startswith("--")) + "\n"
        if "--" in body or ";" in body:
            self.wrong("comments stand at the head, and a query ends without ';'")
        self.about = " ".join(self.prose(head))
        sections = self.sections(head)
        self.parameters = self.fields(sections.get("parameters", ""))
        self.many = "rows" in sections
        self.columns = self.fields(sections.get("rows") or sections.get("row") or "")
        self.conflicts = "conflict" in sections
        if self.conflicts and (self.many or not self.columns):
            self.wrong("a conflict is told in the row, and there is none")
        self.sql = self.number(body)

    def wrong(self, what):
        sys.exit(f"{self.name}.sql: {what}")

    @staticmethod
    def prose(head):
        for line in head:
            if re.match(rf"({'|'.join(WORDS)}): ", line):
                return
            if line:
                yield line

    def sections(self, head):
        found, word = {}, None
        for line in head:
            match = re.match(rf"({'|'.join(WORDS)}): (.*)", line)
            if match:
                word = match[1]
                if word in found:
                    self.wrong(f"{word} is there twice")
                found[word] = match[2]
            elif word and line.startswith("    "):
                found[word] += " " + line.strip()
            elif word:
                self.wrong(f"the signature ends the head, but {line!r} follows")
        if "row" in found and "rows" in found:
            self.wrong("it has either row or rows")
        return found

    def fields(self, text):
        fields = []
        for item in filter(None, (i.strip() for i in text.split(","))):
            match = re.fullmatch(rf"(\w+) ({'|'.join(C_TYPES)})", item)
            if not match:
                self.wrong(f"{item!r} is no name and type")
            fields.append((match[1], match[2]))
        if len({n for n, _ in fields}) < len(fields):
            self.wrong("a name is there twice")
        return fields

    def number(self, body):
        numbers = {name: i + 1 for i, (name, _) in enumerate(self.parameters)}
        unused = set(numbers)

        def one(match):
            if match[1] not in numbers:
                self.wrong(f":{match[1]} is no parameter")
            unused.discard(match[1])
            return f"${numbers[match[1]]}"

        sql = re.sub(r"(?<![:\w]):([a-z]\w*)", one, body)
        if unused:
            self.wrong(f"it does not use {', '.join(sorted(unused))}")
        return sql

    def declaration(self):
        """What the header says of it: the structs, and the function that runs it."""
        name = self.name
        out = self.comment() + self.struct("parameters", self.parameters) + self.struct(
            "row", self.columns, ["\tconst char *conflict; /* the constraint: STORE_CONFLICT only */"] if self.conflicts else [])
        arguments = ["struct store *store", "struct arena *arena"]
        after = []
        if self.parameters:
            arguments.append(f"const struct {name}_parameters *parameters")
        if self.many:
            arguments += [f"const struct {name}_row **all", "size_t *count"]
            after = ["\t*all = rows.at;", "\t*count = rows.count;"]
        elif self.columns:
            arguments.append(f"struct {name}_row *row")
            after = [f"\t*row = rows.count > 0 ? *(const struct {name}_row *)rows.at : (struct {name}_row){{ 0 }};"]
            if self.conflicts:
                after.append("\trow->conflict = rows.constraint;")
        given = "parameters" if self.parameters else "NULL"
        out += ["__attribute__((warn_unused_result)) static inline enum store_result",
                f"store_{name}({', '.join(arguments)})", "{", "\tstruct statement_rows rows;",
                f"\tenum store_result result = store_run(store, arena, STATEMENT_{name.upper()}, {given}, &rows);",
                *after, "\treturn result;", "}"]
        return "\n".join(out) + "\n\n"

    def comment(self):
        if not self.about:
            return []
        lines = textwrap.wrap(self.about, 94)
        return ["/*", *(f" * {l}" for l in lines), " */"]

    def struct(self, kind, fields, extra=()):
        if not fields:
            return []
        return [f"struct {self.name}_{kind} {{", *(f"\t{C_TYPES[t]} {n};" for n, t in fields), *extra, "};"]

    def table(self):
        """The fields as data, and the row of the table of statements."""
        out = ""
        for kind, fields in (("parameters", self.parameters), ("row", self.columns)):
            if fields:
                out += (f"static const struct field {self.name}_{kind}_fields[] = {{\n"
                        + "".join(f"\t{{ FIELD_{t.upper()}, offsetof(struct {self.name}_{kind}, {n}) }},\n"
                                  for n, t in fields) + "};\n")
        return out

    def row(self):
        members = [f'.name = "{self.name}"', f".sql =\n{literal(self.sql)}"]
        for kind, fields in (("parameters", self.parameters), ("row", self.columns)):
            if fields:
                members += [f".{kind} = {self.name}_{kind}_fields", f".{kind}_count = {len(fields)}"]
        if self.columns:
            members.append(f".row_size = sizeof(struct {self.name}_row)")
        return f"\t[STATEMENT_{self.name.upper()}] = {{\n\t\t" + ",\n\t\t".join(members) + ",\n\t},\n"


def main(source, header, *files):
    made = [Statement(f) for f in sorted(files, key=lambda f: Path(f).stem)]
    write(header, HEAD + "#ifndef LATCHKEY_STORE_STATEMENTS_H\n#define LATCHKEY_STORE_STATEMENTS_H\n\n"
          '#include "store/store.h"\n\n'
          + "enum {\n" + "".join(f"\tSTATEMENT_{s.name.upper()},\n" for s in made) + "\tSTATEMENT_COUNT\n};\n_Static_assert(STATEMENT_COUNT <= STATEMENTS_MAXIMUM, \"struct store\");\n\n"
          + "".join(s.declaration() for s in made) + "#endif\n")
    write(source, HEAD + '#include "store/statements.h"\n\n#include "store/statement.h"\n\n' + "".join(s.table() for s in made)
          + "\nconst struct statement_text statement_texts[] = {\n" + "".join(s.row() for s in made)
          + "};\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
