# SPDX-License-Identifier: MIT
"""Whatever can be wrong with a request gets its own clear error, and leaves nothing behind."""
import json

import pytest

LOGIN = "/api/auth/login"
GOOD = '"username":"a@example.com","password":"password123"'

MALFORMED = {
    "empty": b"", "blank": b"  \n", "text": b"hello", "number": b"7", "string": b'"x"', "null": b"null", "true": b"true",
    "array": b"[]", "array of objects": b"[{}]", "open object": b"{", "open string": b'{"username":"a',
    "no value": b'{"username":}', "no colon": b'{"username" "a"}', "no quotes": b"{username:1}", "single quotes": b"{'a':1}",
    "comma at the end": b'{"a":1,}', "two commas": b'{"a":1,,"b":2}', "comment": b'{"a":1/* */}', "two values": b"{}{}",
    "text behind": b"{} x", "NUL behind": b"{}\x00", "byte order mark": b"\xef\xbb\xbf{}", "UTF-16": "{}".encode("utf-16"),
    "Latin-1": b'{"username":"\xe4"}', "overlong": b'{"username":"\xc0\x80"}', "overlong slash": b'{"username":"\xe0\x80\xaf"}',
    "surrogate octets": b'{"username":"\xed\xa0\x80"}', "beyond Unicode": b'{"username":"\xf5\x80\x80\x80"}',
    "lone continuation": b'{"username":"\x80"}', "high surrogate": rb'{"username":"\ud800"}',
    "low surrogate": rb'{"username":"\udc00"}', "high and letter": rb'{"username":"\ud800\u0041"}',
    "bad escape": rb'{"username":"\x41"}', "short escape": rb'{"username":"\u00"}', "raw control": b'{"username":"a\nb"}',
    "raw NUL": b'{"username":"a\x00b"}', "duplicate key": b'{' + GOOD.encode() + b',"password":"x"}',
    "escaped duplicate": b'{"a":1,"\\u0061":2}', "nested duplicate": b'{"x":{"a":1,"a":2}}',
    "too deep": b'{"a":' + b"[" * 8 + b"]" * 8 + b"}", "very deep": b"[" * 30000, "leading zero": b'{"a":01}',
    "form feed": b"{\f" + GOOD.encode() + b"}", "vertical tab": b"{" + GOOD.encode() + b"}\v", "no-break space": b"\xc2\xa0{}",
    "plus": b'{"a":+1}', "NaN": b'{"a":NaN}', "hex": b'{"a":0x10}', "form": b"username=a&password=b",
}


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED.keys())
def test_malformed(nginx, body):
    answer = nginx.post(LOGIN, body, headers={"Content-Type": "application/json"})
    assert (answer.status, answer.json["code"]) == (400, "malformed_json")


INVALID = {
    "number": ("username", 7), "null": ("username", None), "boolean": ("username", True), "list": ("username", ["a"]),
    "object": ("username", {"a": 1}), "blank": ("username", ""), "password as number": ("password", 12345678),
    "NUL": ("username", "a\0b"), "NUL in password": ("password", "passw\0rd123"), "long name": ("username", "a" * 255),
    "long password": ("password", "x" * 513),
}


@pytest.mark.parametrize("field, value", INVALID.values(), ids=INVALID.keys())
def test_invalid_value_is_named(nginx, field, value):
    answer = nginx.post(LOGIN, {**json.loads("{" + GOOD + "}"), field: value})
    assert (answer.status, answer.json["code"], list(answer.json["errors"])) == (400, "invalid_input", [field])


REGISTRATIONS = {
    "no @": ("email", "plain"), "no domain": ("email", "a@b"), "line feed": ("email", "a@example.com\nBcc: x@example.com"),
    "CR LF": ("email", "a\r\n@example.com"), "two @": ("email", "a@b@example.com"), "not ASCII": ("email", "ä@example.com"),
    "too long": ("email", "a" * 250 + "@example.com"), "short password": ("password", "1234567"),
    "long password": ("password", "x" * 129), "blank name": ("full_name", "  "), "control in name": ("full_name", "a\tb"),
    "long name": ("full_name", "n" * 201), "username with space": ("username", "a b"),
    "long first name": ("first_name", "n" * 201), "long last name": ("last_name", "ä" * 201),
    "line separator": ("full_name", "a\u2028b"), "next line": ("first_name", "a\u0085b"), "right to left": ("last_name", "a\u202eb"),
    "isolate": ("full_name", "a\u2066b"), "zero width space": ("full_name", "a\u200bb"), "tag": ("full_name", "a\U000e0041b"),
    "another's e-mail as username": ("username", "other@example.com"),
}


@pytest.mark.parametrize("field, value", REGISTRATIONS.values(), ids=REGISTRATIONS.keys())
def test_refused_registration_leaves_nothing(nginx, service, address, field, value):
    before = service.query("SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM outbox), (SELECT count(*) FROM events)")
    answer = nginx.post("/api/auth/register", {"email": address(), "password": "password123", "full_name": "J", field: value})
    assert (answer.status, answer.json["code"], list(answer.json["errors"])) == (400, "invalid_input", [field])
    after = service.query("SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM outbox), (SELECT count(*) FROM events)")
    assert after == before


def test_names_of_any_script_are_kept_as_given(nginx, service, address):
    for name in ("می‌خواهم شرما", "क्‍ष राव", "Zoë 👩\u200d💻", "n" * 199 + "ä"):
        email = address()
        assert nginx.post("/api/auth/register", {"email": email, "password": "password123", "full_name": name}).status == 201
        assert service.query("SELECT full_name FROM users WHERE email = %s", email) == [(name,)]


def test_missing_members_are_all_named(nginx):
    answer = nginx.post("/api/auth/register", {})
    assert set(answer.json["errors"]) == {"email", "password", "full_name"}


def test_unknown_members_are_ignored(nginx, address):
    body = {"email": address(), "password": "password123", "full_name": "J", "is_admin": True, "x": {"y": [1]}}
    assert nginx.post("/api/auth/register", body).status == 201


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", "json", None])
def test_media_type(nginx, media_type):
    headers = {"Content-Type": media_type} if media_type else {"Content-Type": ""}
    answer = nginx.post(LOGIN, b"{}", headers=headers)
    assert (answer.status, answer.json["code"]) == (415, "unsupported_media_type")


def test_media_type_with_parameters(nginx):
    answer = nginx.post(LOGIN, b"{}", headers={"Content-Type": "Application/JSON; charset=UTF-8"})
    assert answer.json["code"] == "invalid_input"


@pytest.mark.parametrize("path", ["/", "", "/nothing", "/login/x", "//login", "/LOGIN", "/verify", "/verify/a/b", "/me/../nothing"])
def test_unknown_path(nginx, path):
    answer = nginx.get("/api/auth" + path)
    assert (answer.status, answer.json["code"]) == (404, "not_found")


@pytest.mark.parametrize("method, path, allow", [
    ("GET", "/login", "POST, OPTIONS"), ("PUT", "/login", "POST, OPTIONS"), ("DELETE", "/me", "GET, HEAD, OPTIONS"),
    ("PATCH", "/me", "GET, HEAD, OPTIONS"), ("POST", "/health", "GET, HEAD, OPTIONS"), ("GET", "/verify/resend", "POST, OPTIONS")])
def test_another_method(nginx, method, path, allow):
    answer = nginx.request(method, "/api/auth" + path)
    assert (answer.status, answer.json["code"], answer.headers["Allow"]) == (405, "method_not_allowed", allow)


@pytest.mark.parametrize("size", [65536, 65537, 1000000])
def test_body_size(web, size):
    head = b'{"username":"a","password":"b","pad":"'
    answer = web.post(LOGIN, head + b"x" * (size - len(head) - 2) + b'"}', headers={"Content-Type": "application/json"})
    expected = (401, "invalid_credentials") if size == 65536 else (413, "body_too_large")
    assert (answer.status, answer.json["code"]) == expected


@pytest.mark.parametrize("authorization, challenge", [(a, 'Bearer error="invalid_token"') for a in (
    "Bearer", "Bearer ", "bearer a.b.c", "Bearer a b", "Bearer \xe4", "Bearer {}", "Bearer " + "x" * 5000, "a.b.c")]
    + [("", "Bearer"), ("Basic YTpi", "Bearer"), ("Digest username=a, uri=b", "Bearer")])
def test_bad_authorization(web, authorization, challenge):
    """RFC 6750 section 3.1: another scheme is no try with a token."""
    answer = web.get("/api/auth/me", headers={"Authorization": authorization})
    assert (answer.status, answer.json["code"]) == (401, "unauthorized")
    assert answer.headers.get_all("WWW-Authenticate") == [challenge]


def test_unknown_dialect(service):
    from harness import fastcgi
    answer = fastcgi(service, "/health", LATCHKEY_DIALECT="klingon").recv(65536)
    assert b"Status: 500" in answer and b'"unknown_dialect"' in answer
    assert service.log_contains("unknown_dialect LATCHKEY_DIALECT=klingon")
