# SPDX-License-Identifier: MIT
"""Each dialect's document is valid, other people's programs read it, and generated requests get no answer
that it does not describe."""
import http.client
import json
import os
import random
import shutil
import subprocess
import tempfile
from pathlib import Path

import jsonschema
import pytest

from harness import BINARY, ROOT
from test_dialects import PASSWORD, SPELLINGS, Speaker

REQUESTS = 2000

# Generated clients name their functions after these: one that changes breaks who uses it.
OPERATION_IDS = {"register", "login", "refresh", "logout", "getMe", "verifyEmail", "requestVerification", "requestPasswordReset",
                 "resetPassword", "changePassword", "getKeys", "getProviderConfiguration", "getOpenapi", "getHealth"}


@pytest.fixture(params=SPELLINGS)
def speaker(request, nginx):
    return Speaker(request.param, nginx)


@pytest.fixture
def document(speaker):
    answer = speaker.call("GET", "/openapi.json")
    assert answer.status == 200
    return answer.json


def operations(document):
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def resolve(document, schema):
    """The schema that a reference stands for."""
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].removeprefix("#/components/schemas/")]
    return schema


def validate(document, value, schema):
    resolver = jsonschema.RefResolver.from_schema(document)
    jsonschema.Draft202012Validator(schema, resolver=resolver).validate(value)


def test_document_is_valid(document, speaker, service):
    assert document["openapi"].startswith("3.1") and document["info"]["title"] and document["info"]["version"]
    assert json.loads(service.command("openapi", speaker.name).stdout) == document
    assert document["info"]["license"]["identifier"] == "MIT"
    assert document["servers"] == [{"url": "http://localhost/api/auth"}]
    assert {"Error", "User", "Tokens", "AccessToken", "Message", "RegisterRequest"} <= set(document["components"]["schemas"])
    assert sorted(o["operationId"] for _, _, o in operations(document)) == sorted(OPERATION_IDS)
    tags = {tag["name"] for tag in document["tags"] if tag["description"]}
    assert {tag for _, _, o in operations(document) for tag in o["tags"]} == tags
    validator = jsonschema.Draft202012Validator
    for schema in document["components"]["schemas"].values():
        validator.check_schema(schema)
    for path, method, operation in operations(document):
        assert method in ("get", "post") and operation["summary"]
        named = {p["name"] for p in operation.get("parameters", []) if p["in"] == "path"}
        assert named == {part[1:-1] for part in path.split("/") if part.startswith("{")}
        for requirement in operation["security"]:
            assert set(requirement) <= set(document["components"]["securitySchemes"])
        if "requestBody" in operation:
            assert resolve(document, operation["requestBody"]["content"]["application/json"]["schema"])
        assert any(status.startswith("2") for status in operation["responses"])
        for status, response in operation["responses"].items():
            assert 200 <= int(status) < 600 and response["description"]
            if "content" in response:
                schema = response["content"]["application/json"]["schema"]
                validator.check_schema(schema)
                assert resolve(document, schema)
                assert status < "400" or schema == {"$ref": "#/components/schemas/Error"}
            assert ("Retry-After" in response.get("headers", {})) == (status in ("429", "503"))


def test_every_documented_path_is_served(document, speaker):
    for path, method, _ in operations(document):
        answer = speaker.call("OPTIONS", path.replace("{token}", "x"))
        assert answer.status == 204 and method.upper() in answer.headers["Allow"]


def test_limits_are_those_in_force(make):
    service, web = make(passwords__min_length=12, accounts__require_verified="yes", api__reveal_unknown_email="never",
                        api__base_url="https://www.example.org/accounts/")
    for name in SPELLINGS:
        document = Speaker(name, web).call("GET", "/openapi.json").json
        assert document["servers"] == [{"url": "https://www.example.org/accounts"}]
        schemas, found = document["components"]["schemas"], {o["operationId"]: o for _, _, o in operations(document)}
        new = [schemas[f"{o}Request"]["properties"][key] for o, key in (
            ("Register", "password"), ("ChangePassword", "new_password"), ("ResetPassword", "password" if name == "token" else "new_password"))]
        assert [(n["minLength"], n["maxLength"]) for n in new] == [(12, 128)] * 3
        assert schemas["ChangePasswordRequest"]["properties"]["current_password"]["minLength"] == 1
        assert found["login"]["responses"]["403"]["description"] == "email_not_verified"
        assert "404" not in found["requestPasswordReset"]["responses"]


@pytest.fixture(scope="session")
def node():
    """The programs that read the documents, in exact versions, installed once into the build folder."""
    source, place = ROOT / "test" / "openapi", ROOT / "build" / "openapi-check"
    lock = (source / "package-lock.json").read_bytes()
    if not (place / "package-lock.json").exists() or (place / "package-lock.json").read_bytes() != lock:
        place.parent.mkdir(exist_ok=True)
        new = Path(tempfile.mkdtemp(prefix="openapi-check-", dir=place.parent))
        for name in ("package.json", "package-lock.json"):
            shutil.copy(source / name, new)
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"]
        for attempt in range(3):  # the registry may be slow to answer
            done = subprocess.run(command, cwd=new, capture_output=True, text=True, timeout=300)
            if done.returncode == 0:
                break
        assert done.returncode == 0, done.stderr[-2000:]
        shutil.rmtree(place, ignore_errors=True)
        os.replace(new, place)
    for name in ("check.mjs", "types.ts"):
        shutil.copy(source / name, place)
    return place


def test_linter_and_generator_read_the_documents(node, tmp_path):
    """redocly finds nothing in them, and what openapi-typescript makes of them has the types that types.ts expects."""
    for name in SPELLINGS:
        command = [BINARY, "openapi", name, "-o", "api.base_url=https://accounts.test/api/auth"]
        (node / f"{name}.json").write_bytes(subprocess.check_output(command, env={}))
    done = subprocess.run(["node", "check.mjs", *SPELLINGS], cwd=node, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (0, f"{len(SPELLINGS)} documents, 0 problems\n"), done.stdout + done.stderr


class Generator:
    """Requests from the schema, whole and broken, the same each time."""

    def __init__(self, seed, document, email, tokens):
        self.random, self.document, self.email, self.tokens = random.Random(seed), document, email, tokens

    def string(self, schema):
        r = self.random
        kinds = [self.email, self.email.split("@")[0], PASSWORD, f"new{r.randrange(10 ** 9)}@example.com", r.choice(self.tokens),
                 "x" * schema.get("minLength", 0), "x" * schema.get("maxLength", 10), "x" * (schema.get("maxLength", 10) + 1),
                 "".join(chr(r.choice([r.randrange(32, 127), r.randrange(0xA0, 0xD7FF), r.randrange(0x10000, 0x10FFFF)]))
                         for _ in range(r.randrange(40))), "", "\0", "a\r\nb: c", "' OR 1=1 --", "{{7*7}}", "\u202e"]
        return r.choice(kinds)

    def value(self, schema):
        if self.random.random() < 0.1:
            return self.random.choice([None, 7, -1.5, True, [], ["a"], {}, {"a": {"b": []}}])
        return self.string(schema)

    def body(self, schema):
        r = self.random
        body = {}
        schema = resolve(self.document, schema)
        schema = r.choice(schema.get("anyOf", [schema]))
        for key, member in schema["properties"].items():
            if r.random() < 0.85:
                body[key] = self.value(member)
        if r.random() < 0.1:
            body["unknown"] = r.choice([1, "x", [[[[]]]]])
        text = json.dumps(body, ensure_ascii=r.random() < 0.5).encode("utf-8", "surrogatepass")
        if r.random() < 0.1:
            at = r.randrange(len(text))
            text = r.choice([text[:at], text[:at] + bytes([r.randrange(256)]) + text[at + 1:], text + b"}", text * 2])
        return text

    def request(self, path, method, operation):
        r = self.random
        token = r.choice(self.tokens + ["x" * 43, "a", "%F0%9F%98%80", "a" * 300])
        headers = {"Content-Type": r.choice(["application/json"] * 15 + ["text/plain", ""])}
        if r.random() < 0.7:
            headers["Authorization"] = "Bearer " + r.choice(self.tokens + ["x", "a.b.c"])
        if r.random() < 0.3:
            headers["Cookie"] = "refresh_token=" + r.choice(self.tokens)
        body = b""
        if "requestBody" in operation:
            body = self.body(operation["requestBody"]["content"]["application/json"]["schema"])
        return method.upper(), path.replace("{token}", token), body, headers


def test_answers_are_as_described(document, speaker, service, address):
    email = address()
    speaker.do_register(email)
    tokens = [t for t in speaker.tokens(speaker.do_login(email)) if t] + [service.token(email, "verify")]
    generator = Generator(speaker.name, document, email, tokens)
    choices = list(operations(document))
    seen = set()
    connection = http.client.HTTPConnection("127.0.0.1", speaker.web.port, timeout=30)
    for n in range(REQUESTS):
        path, template_method, operation = choices[n % len(choices)]
        method, target, body, headers = generator.request(path, template_method, operation)
        headers["Host"] = f"{speaker.name}.localhost:{speaker.web.port}"
        connection.request(method, speaker.prefix + target, body, headers)
        answer = connection.getresponse()
        content = answer.read()
        said = (method, target, body, headers, answer.status, content)
        assert answer.status < 500, said
        seen.add((path, answer.status))
        described = operation["responses"].get(str(answer.status))
        assert described, said
        if "content" not in described:
            assert content == b"", said
            continue
        described = described["content"]["application/json"]
        validate(document, json.loads(content), described["schema"])
        assert "example" not in described or json.loads(content) == described["example"], said
    connection.close()
    assert {status for _, status in seen} >= {200, 400, 401}
