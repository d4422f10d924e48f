# SPDX-License-Identifier: MIT
"""Each dialect's document is valid, and generated requests get no answer that it does not describe."""
import http.client
import json
import random

import jsonschema
import pytest

from test_dialects import PASSWORD, SPELLINGS, Speaker

REQUESTS = 2000


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


def test_document_is_valid(document, speaker, service):
    assert document["openapi"].startswith("3.1") and document["info"]["title"] and document["info"]["version"]
    assert json.loads(service.command("openapi", speaker.name).stdout) == document
    validator = jsonschema.Draft202012Validator
    for schema in document["components"]["schemas"].values():
        validator.check_schema(schema)
    for path, method, operation in operations(document):
        assert method in ("get", "post") and operation["summary"]
        named = {p["name"] for p in operation["parameters"] if p["in"] == "path"}
        assert named == {part[1:-1] for part in path.split("/") if part.startswith("{")}
        for requirement in operation["security"]:
            assert set(requirement) <= set(document["components"]["securitySchemes"])
        if "requestBody" in operation:
            validator.check_schema(operation["requestBody"]["content"]["application/json"]["schema"])
        assert any(status.startswith("2") for status in operation["responses"])
        for status, response in operation["responses"].items():
            assert 200 <= int(status) < 600 and response["description"]
            if "content" in response:
                validator.check_schema(response["content"]["application/json"]["schema"])


def test_every_documented_path_is_served(document, speaker):
    for path, method, _ in operations(document):
        answer = speaker.call("OPTIONS", path.replace("{token}", "x"))
        assert answer.status == 204 and method.upper() in answer.headers["Allow"]


class Generator:
    """Requests from the schema, whole and broken, the same each time."""

    def __init__(self, seed, email, tokens):
        self.random, self.email, self.tokens = random.Random(seed), email, tokens

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
    generator = Generator(speaker.name, email, tokens)
    choices = list(operations(document))
    error = document["components"]["schemas"]["Error"]
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
        schema = described["content"]["application/json"]["schema"]
        jsonschema.validate(json.loads(content), error if "$ref" in schema else schema, jsonschema.Draft202012Validator)
    connection.close()
    assert {status for _, status in seen} >= {200, 400, 401}
    assert not service.log_contains("child_died|statement_failed")
