#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The direction of dependencies, and which folder may touch which library. Prints what runs the other
way; the table is the architecture, so a change to it is one."""
import re
import sys
import tempfile
from pathlib import Path

BELOW = {
    "base": "",
    "http": "base", "store": "base", "mail": "base", "tokens": "base", "passwords": "base",
    "operations": "store tokens passwords base",
    "api": "operations http base",
    "process": "api operations http mail store tokens passwords base",
    "command": "process api operations http mail store tokens passwords base",
    "main.c": "command base",
}
# a dialect is data: it says what it serves in api's words
DIALECTS = {"api/dialect.h"}

FENCES = {
    r"fcgi\w*\.h|fastcgi\.h": {"http/fcgi.c", "http/fcgi_os.c", "http/records.c"},
    r"libpq-fe\.h": {"store/conninfo.c", "store/hosts.c", "store/migrate.c", "store/pipeline.c", "store/row.c", "store/statement.c", "store/store.c", "store/wire.c"},
    r"libesmtp\.h|auth-client\.h": {"mail/smtp.c", "mail/smtp_dialogue.c", "mail/smtp_dialogue.h"},
    r"argon2\.h": {"passwords/engine_libargon2.c"},
    r"sodium\.h": {"passwords/engine_libsodium.c"},
    r"yajl/.*": {"base/json.c", "base/json_memory.c", "base/json_memory.h", "base/json_write.c"},
    r"openssl/.*": {"base/secret.c", "mail/smtp.c", "mail/smtp_dialogue.c", "mail/smtp_dialogue.h", "tokens/jwk.c", "tokens/jws.c", "tokens/keyring.c",
                    "tokens/keyring_create.c", "tokens/onetime.c"},
}


def violations(root):
    files = [p for top in ("src", "include") for p in (root / top).rglob("*.[ch]")]
    for path in sorted(files):
        name = str(path.relative_to(root / path.relative_to(root).parts[0]))
        room = name.split("/")[0]
        allowed = set(BELOW.get(room, "").split()) | {room}
        for kind, target in re.findall(r'^#include ([<"])([^>"]+)[>"]', path.read_text(), re.M):
            if kind == '"' and "/" in target and target.split("/")[0] not in allowed:
                yield f"{name}: {target} lies above it or beside it"
            if kind == '"' and "/" not in target:
                yield f"{name}: {target} does not say its folder"
            if kind == '"' and name.startswith("api/dialects/") and target not in DIALECTS:
                yield f"{name}: a dialect includes {sorted(DIALECTS)} only"
            for fence, rooms in FENCES.items():
                if kind == "<" and re.fullmatch(fence, target) and name not in rooms:
                    yield f"{name}: <{target}> belongs to {', '.join(sorted(rooms))}"
        if re.search(r"^\s+assert\(", path.read_text(), re.M):
            yield f"{name}: assert() is not there in a release: CHECK() of base/check.h is"
        if name.endswith(".c") and re.search(r"\bPQ[a-z]\w+\(", path.read_text()) and not name.startswith("store/"):
            yield f"{name}: calls libpq"


def check_self():
    """A check that could not fail would be none."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in {"src/base/a.c": '#include "http/request.h"\n', "src/api/b.c": "#include <libpq-fe.h>\n",
                           "src/http/c.c": '#include "request.h"\n', "src/api/dialects/d.c": '#include "api/router.h"\n',
                           "src/mail/e.c": "\tassert(size > 0);\n", "src/mail/f.c": "static_assert(1);\n_Static_assert(1);\n"}.items():
            path = Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        found = list(violations(Path(folder)))
        assert len(found) == 5, found


check_self()
wrong = list(violations(Path(__file__).resolve().parent.parent))
print("\n".join(wrong + [f"layers: {len(wrong)} wrong"]))
sys.exit(bool(wrong))
