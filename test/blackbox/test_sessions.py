# SPDX-License-Identifier: MIT
"""What a session is, and when it is none any more."""
import subprocess

import psycopg2

from harness import BINARY, ROOT
from test_dialects import PASSWORD, Speaker


def registered(web, address, dialect="bearer"):
    speaker = Speaker(dialect, web)
    speaker.email = address()
    assert speaker.do_register(speaker.email).status == 201
    return speaker


def test_data_of_the_first_release_survive(cluster):
    name = cluster.create()
    connection = psycopg2.connect(cluster.url(name))
    connection.autocommit = True
    cursor = connection.cursor()
    try:
        cursor.execute((ROOT / "sql/migrations/0001_accounts.sql").read_text())
        cursor.execute("CREATE TABLE schema_migrations (version bigint PRIMARY KEY, name text NOT NULL, "
                       "applied_at timestamptz NOT NULL DEFAULT now()); INSERT INTO schema_migrations VALUES (1, 'accounts')")
        cursor.execute("INSERT INTO users (email, password_hash, disabled_at) VALUES ('a@example.com', 'x', NULL), "
                       "('b@example.com', 'x', now())")
        cursor.execute("INSERT INTO sessions (user_pk, id, generation, expires_at) "
                       "SELECT pk, gen_random_uuid(), 3, now() + n * interval '1 day' FROM users, generate_series(0, 2) n")
        subprocess.run([BINARY, "migrate", "-o", f"database.url={cluster.url(name)}"], check=True)
        cursor.execute("SELECT email, generation FROM living_sessions")
        assert cursor.fetchall() == [("a@example.com", 3)] * 2
    finally:
        connection.close()
        cluster.drop(name)


def test_enabling_a_user_again_revives_no_session(nginx, service, address):
    speaker = registered(nginx, address)
    access, refresh = speaker.tokens(speaker.do_login(speaker.email))
    for value in ("now()", "NULL"):
        service.query(f"UPDATE users SET disabled_at = {value} WHERE email = %s", speaker.email)
        assert speaker.call("GET", "/me", token=access).status == 401
        assert speaker.do_refresh(refresh).status == 401
    # not even one that was not deleted: it is the version that counts
    user = service.query("SELECT pk, credential_version FROM users WHERE email = %s", speaker.email)[0]
    assert user[1] == 1
    access, refresh = speaker.tokens(speaker.do_login(speaker.email))
    service.query("UPDATE sessions SET credential_version = 0 WHERE user_pk = %s", user[0])
    assert speaker.call("GET", "/me", token=access).status == 401
    assert speaker.do_refresh(refresh).status == 401
    assert speaker.call("POST", "/logout", token=access).status == 401
    assert speaker.call("POST", "/change-password", {"current_password": PASSWORD, "new_password": "new password"}, token=access).status == 401
