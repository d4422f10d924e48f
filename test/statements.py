#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Holds each file of sql/queries/ against a real, filled database: its signature (the comments at
its head) against what PostgreSQL makes of it, and its plan against sequential scans.

    statements.py CONNECTION_STRING     an empty database, which is migrated and filled
"""
import os
import re
import subprocess
import sys
from pathlib import Path

import psycopg2

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "src"))
from statements import Statement  # noqa: E402
BINARY = os.environ.get("LATCHKEY_BINARY", ROOT / "build" / "latchkey")

FILL = """
INSERT INTO users (email, username, full_name, password_hash)
    SELECT 'user' || n || '@example.com', 'user' || n, 'User ' || n, 'x' FROM generate_series(1, 20000) n;
INSERT INTO sessions (user_pk, id, expires_at)
    SELECT pk, gen_random_uuid(), now() + (pk % 60 - 1) * interval '12 hours' FROM users, generate_series(1, 3);
INSERT INTO one_time_tokens (digest, user_pk, purpose, expires_at)
    SELECT sha256(pk::text::bytea), pk, 'verify', now() + (pk % 48 - 1) * interval '1 hour' FROM users;
INSERT INTO outbox (letter, recipient, next_attempt_at, failed_at)
    SELECT 'verify', email, now() + (pk % 100 - 1) * interval '1 hour',
        CASE WHEN pk % 50 = 0 THEN now() - pk * interval '1 minute' END FROM users;
INSERT INTO events (kind, user_pk, at) SELECT 'logged_in', pk, now() - pk * interval '1 hour' FROM users;
INSERT INTO known_networks SELECT pk, gen_random_uuid(), now() - pk % 40 * interval '1 day' FROM users;
INSERT INTO rate_limits SELECT gen_random_uuid(), EXTRACT(epoch FROM now() + (pk % 100 - 1) * interval '1 hour') * 1000000 FROM users;
"""

# Tables so small, or statements so made, that a scan is right.
SCANS_ALLOWED = {"schema_versions": {"schema_migrations"}}

VALUES = {"bigint": "1", "bytea": "'\\x00'", "text": "'user7@example.com'", "boolean": "true",
          "uuid": "'00000000-0000-4000-8000-000000000000'",
          "limits": """'{"(network,00000000-0000-4000-8000-000000000000,3,60)"}'""", "taken": "'{00000000-0000-4000-8000-000000000000} {1} {1}'"}


def check(cursor, path):
    statement = Statement(path)
    name, parameters = statement.name, statement.parameters
    kinds = ", ".join(kind for _, kind in parameters)
    cursor.execute("SAVEPOINT before")
    try:
        cursor.execute(f'PREPARE "{name}"' + (f" ({kinds})" if kinds else "") + f" AS {statement.sql}")
    except psycopg2.Error as error:
        cursor.execute("ROLLBACK TO before")
        yield f"{name}: {error}"
        return
    values = ", ".join(f"{VALUES.get(word, VALUES[kind])}::{kind}" for word, kind in parameters)
    call = f'EXECUTE "{name}"' + (f"({values})" if values else "")
    cursor.execute("SAVEPOINT before")
    cursor.execute(call if name != "account_create" else call.replace(VALUES["text"], "'new@example.com'"))
    types = {16: "boolean", 17: "bytea", 20: "bigint", 25: "text", 2950: "uuid"}
    real = [(c.name, types.get(c.type_code, c.type_code)) for c in cursor.description or []]
    cursor.execute("ROLLBACK TO before")
    if real != statement.columns:
        yield f"{name}: its columns are {real}, its head says {statement.columns}"
    cursor.execute(f"EXPLAIN {call}")
    plan = "\n".join(row[0] for row in cursor.fetchall())
    for table in re.findall(r"Seq Scan on (\w+)", plan):
        if table not in SCANS_ALLOWED.get(name, ()):
            yield f"{name}: a sequential scan of {table}\n{plan}"
    cursor.execute("ROLLBACK TO before")


def unused():
    source = "".join(p.read_text() for p in (ROOT / "src").rglob("*.c"))
    source += "".join(f"store_purge_{name}(" for name in re.findall(r"PURGER\((\w+), [A-Z]", source))
    for path in sorted((ROOT / "sql" / "queries").glob("*.sql")):
        if f"store_{path.stem}(" not in source and f"STATEMENT_{path.stem.upper()}" not in source:
            yield f"{path.name}: nobody runs it"


def main(url):
    subprocess.run([BINARY, "migrate", "-o", f"database.url={url}"], check=True, stdout=subprocess.DEVNULL)
    connection = psycopg2.connect(url)
    cursor = connection.cursor()
    cursor.execute(FILL)
    connection.commit()
    connection.autocommit = True
    cursor.execute("VACUUM ANALYZE")
    connection.autocommit = False
    wrong = list(unused())
    files = sorted((ROOT / "sql" / "queries").glob("*.sql"))
    for path in files:
        wrong += check(cursor, path)
    connection.rollback()
    for line in wrong:
        print(line)
    print(f"statements: {len(files)} checked, {len(wrong)} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
