// SPDX-License-Identifier: MIT
// What a client's author counts on. It is compiled, never run: each line is an error where a generated
// type is another.
import type { components as Bearer, operations as BearerOperations, paths as BearerPaths } from "./bearer";
import type { components as Content, operations as ContentOperations } from "./content";
import type { components as Cookie, operations as CookieOperations } from "./cookie";
import type { components as Nested, operations as NestedOperations } from "./nested";
import type { components as Token } from "./token";

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(_: Same<A, B>): void {}
type Answer<O, S extends number> = O extends { responses: { [K in S]: { content: { "application/json": infer T } } } } ? T : never;
type Body<O> = O extends { requestBody?: { content: { "application/json": infer T } } } ? T : never;

// members that may be null are there, and say so
same<Content["schemas"]["User"]["profile_image"], string | null>(true);
same<Content["schemas"]["User"]["username"], string | null>(true);
same<Content["schemas"]["User"]["pk"], number>(true);
same<Bearer["schemas"]["User"]["email_verified"], boolean>(true);
same<keyof Nested["schemas"]["User"], "id" | "email" | "first_name" | "last_name">(true);

// one name for what several answers share
same<Answer<BearerOperations["login"], 200>, Bearer["schemas"]["Tokens"]>(true);
same<Answer<BearerOperations["refresh"], 200>, Bearer["schemas"]["AccessToken"]>(true);
same<Bearer["schemas"]["Tokens"]["token_type"], "bearer">(true);
same<Answer<NestedOperations["login"], 200>["user"], Nested["schemas"]["User"]>(true);
same<Answer<NestedOperations["register"], 201>["tokens"], Nested["schemas"]["Tokens"]>(true);
same<Answer<CookieOperations["getMe"], 200>, Cookie["schemas"]["User"]>(true);
same<Answer<ContentOperations["getMe"], 200>["content"], Content["schemas"]["User"]>(true);
same<Answer<ContentOperations["register"], 201>["content"]["tokens"], Content["schemas"]["Tokens"]>(true);
same<Answer<ContentOperations["register"], 201>["content"]["email"], string>(true);
same<Answer<BearerOperations["changePassword"], 200>, { message: string }>(true);
same<Answer<BearerOperations["login"], 401>, Bearer["schemas"]["Error"]>(true);
same<BearerPaths["/login"]["post"], BearerOperations["login"]>(true);

// errors: the text, the code and the fields keep types of their own
same<Bearer["schemas"]["Error"]["errors"], { [key: string]: string[] } | undefined>(true);
same<Token["schemas"]["Error"]["detail"], string>(true);
same<Token["schemas"]["Error"]["email"], string[] | undefined>(true);
const code: Bearer["schemas"]["Error"]["code"] = "invalid_credentials";
// @ts-expect-error no such code
const other: Bearer["schemas"]["Error"]["code"] = "teapot";

// log-in takes either word, but one of them
const byName: Body<BearerOperations["login"]> = { username: "user@example.com", password: "x" };
const byEmail: Body<BearerOperations["login"]> = { email: "user@example.com", password: "x" };
// @ts-expect-error neither
const byNothing: Body<BearerOperations["login"]> = { password: "x" };
// @ts-expect-error full_name is required
const nameless: Bearer["schemas"]["RegisterRequest"] = { email: "user@example.com", password: "x" };
const named: Cookie["schemas"]["RegisterRequest"] = { email: "user@example.com", password: "x" };
