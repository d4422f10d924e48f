# SPDX-License-Identifier: MIT
"""A sixth dialect is a file of data and a word: written here, built, and served."""
import json
import shutil
import subprocess

import pytest

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
static const struct input_member lost_input[] = { REQUIRED("mail", email, VALUE_EMAIL), INPUT_END };
static const struct reply_member lost_reply[] = { MESSAGE("Look at your mail"), REPLY_END };
static const struct reply_member user[] = { SHOW(TEXT, "mail", user.email), REPLY_END };
static const struct reply_member self[] = { OPEN("me"), USER, CLOSE, REPLY_END };
static const struct reply_member in_reply[] = {
	OPEN("data"), SHOW(TEXT, "key", access_token), CLOSE, CONSTANT("state", "in"), REPLY_END,
};
static const struct override in_overrides[] = {
	{ OUTCOME_INVALID_CREDENTIALS, 403, "You shall not pass" },
	OVERRIDE_END,
};
static const struct route routes[] = {
	{ POST("/join", operation_register, 201), .input = join_input, .reply = self, .summary = "Join" },
	{ POST("/in", operation_login, 200), .input = in_input, .reply = in_reply, .overrides = in_overrides, .summary = "Come in" },
	{ POST("/lost", operation_forgot, 200), .input = lost_input, .reply = lost_reply, .summary = "Lost" },
	{ .path = NULL },
};
const struct dialect dialect_sixth = {
	.name = "sixth", .message_key = "say", .error_key = "oops", .user = user, .self = self, .routes = routes,
};
"""


@pytest.fixture(scope="module")
def tree():
    """A copy of the project with the dialect in it, built."""
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
    yield tree
    shutil.rmtree(place)


def test_a_sixth_dialect(cluster, tree, monkeypatch):
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
        # what the table does not say does not tell who has an account
        assert [ask("/lost", "POST", {"mail": f"{name}@example.com"}) for name in "az"] == [(200, {"say": "Look at your mail"})] * 2
        status, document = ask("/openapi.json")
        assert status == 200 and {"/join", "/in", "/me", "/logout"} <= set(document["paths"])
    finally:
        service.close()


@pytest.mark.parametrize("row, right", [
    ('SHOW(TEXT, "x", user.email)', True), ('SHOW(INTEGER, "x", user.pk)', True), ('SHOW(UUID, "x", user.id)', True),
    ('SHOW(TEXT, "x", user.pk)', False), ('SHOW(UUID, "x", user.email)', False), ('SHOW(BOOLEAN, "x", user.created_at)', False),
    ('SHOW(INTEGER, "x", user.email_verified)', False), ('SHOW(TEXT_OR_NULL, "x", user)', False)])
def test_a_value_of_another_kind_does_not_compile(tree, row, right):
    text = f'#include "api/dialect.h"\nconst struct reply_member rows[] = {{ {row}, REPLY_END }};\n'
    assert compiles(tree, text) is right


@pytest.mark.parametrize("row, right", [
    ('REQUIRED("x", email, VALUE_EMAIL)', True), ('OPTIONAL("x", claims, VALUE_TOKEN)', False),
    ('REQUIRED("x", rotates, VALUE_TOKEN)', False), ('FROM_PATH("x", protected)', False), ('FROM_COOKIE("x", claims)', False)])
def test_an_input_of_another_kind_does_not_compile(tree, row, right):
    text = f'#include "api/dialect.h"\nconst struct input_member rows[] = {{ {row}, INPUT_END }};\n'
    assert compiles(tree, text) is right


def compiles(tree, text):
    command = ["cc", "-std=c17", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only",
               f"-I{tree}/include", f"-I{tree}/build/src", "-x", "c", "-"]
    done = subprocess.run(command, input=text, text=True, capture_output=True)
    assert done.returncode == 0 or "the member is not of the type of its kind" in done.stderr, done.stderr
    return done.returncode == 0
