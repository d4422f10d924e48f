# SPDX-License-Identifier: MIT
"""A sixth dialect is a file of data and a word: written here, built, and served."""
import json
import shutil
import subprocess

from harness import ROOT, Service, answer_of, fastcgi, folder

SIXTH = r"""
#include "api/dialect.h"

static const struct input_member in_input[] = {
	LOGIN_NAME("who", "mail"),
	REQUIRED("secret", password, VALUE_PASSWORD),
	INPUT_END,
};
static const struct input_member join_input[] = {
	REQUIRED("mail", email, VALUE_EMAIL),
	REQUIRED("secret", password, VALUE_NEW_PASSWORD),
	INPUT_END,
};
static const struct reply_member user[] = { SHOW(TEXT, "mail", user.email), REPLY_END };
static const struct reply_member self[] = { OPEN("me"), USER, CLOSE, REPLY_END };
static const struct reply_member in_reply[] = {
	OPEN("data"), SHOW(TEXT, "key", access_token), CLOSE, CONSTANT("state", "in"), REPLY_END,
};
static const struct wording in_wordings[] = {
	{ OUTCOME_INVALID_CREDENTIALS, 403, "You shall not pass" },
	WORDING_END,
};
static const struct route routes[] = {
	{ POST("/join", operation_register, 201), .input = join_input, .reply = self, .summary = "Join" },
	{ POST("/in", operation_login, 200), .input = in_input, .reply = in_reply, .wordings = in_wordings, .summary = "Come in" },
	{ .path = NULL },
};
const struct dialect dialect_sixth = {
	.name = "sixth", .message_key = "say", .error_key = "oops", .user = user, .self = self, .routes = routes,
};
"""


def test_a_sixth_dialect(cluster, monkeypatch):
    place = folder()
    tree = place / "tree"
    shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns("build*", ".git", "__pycache__"))
    (tree / "src/api/dialects/sixth.c").write_text(SIXTH)
    words = tree / "src/meson.build"
    text = words.read_text()
    assert "'token']" in text
    words.write_text(text.replace("'token']", "'token', 'sixth']", 1))
    subprocess.run(["meson", "setup", "-Dtests=disabled", "-Doptimization=0", "build"], cwd=tree, check=True, capture_output=True)
    subprocess.run(["ninja", "-C", "build", "latchkey"], cwd=tree, check=True, capture_output=True)
    monkeypatch.setattr("harness.BINARY", tree / "build/latchkey")
    service = Service(cluster)
    try:
        def ask(path, method="GET", body=None, **more):
            octets = json.dumps(body).encode() if body is not None else b""
            return answer_of(fastcgi(service, path, method, octets, LATCHKEY_DIALECT="sixth", **more))
        assert ask("/join", "POST", {"mail": "a@example.com", "secret": "password123"}) == (201, {"me": {"mail": "a@example.com"}})
        status, answer = ask("/in/", "POST", {"who": "a@example.com", "secret": "password123"})
        assert (status, answer["state"]) == (200, "in")
        assert ask("/me", HTTP_AUTHORIZATION="Bearer " + answer["data"]["key"]) == (200, {"me": {"mail": "a@example.com"}})
        assert ask("/in", "POST", {"mail": "a@example.com", "secret": "wrong"}) == (
            403, {"oops": "You shall not pass", "code": "invalid_credentials"})
        status, document = ask("/openapi.json")
        assert status == 200 and {"/join", "/in", "/me", "/logout"} <= set(document["paths"])
    finally:
        service.close()
        shutil.rmtree(place)
