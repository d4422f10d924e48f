# SPDX-License-Identifier: MIT
"""What a session is, and when it is none any more."""
import subprocess

import jwt
import psycopg2

from harness import BINARY, ROOT, wait_until
from test_dialects import PASSWORD, Speaker, cookie_of


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


# ---- sessions.idle

def age(service, speaker, seconds):
    """The user's sessions have rested for that long."""
    service.query("UPDATE sessions SET last_used_at = last_used_at - %s * interval '1 second', "
                  "idle_until = idle_until - %s * interval '1 second', purge_at = purge_at - %s * interval '1 second' "
                  "WHERE user_pk = (SELECT pk FROM users WHERE email = %s)", seconds, seconds, seconds, speaker.email)


def test_a_session_ends_without_use(make, address):
    service, web = make(sessions__idle="1h")
    speaker = registered(web, address)
    access, refresh = speaker.tokens(speaker.do_login(speaker.email))
    for _ in range(3):  # each refresh counts, also one that does not rotate
        age(service, speaker, 3500)
        assert speaker.do_refresh(refresh).status == 200
    age(service, speaker, 3500)
    assert speaker.call("GET", "/me", token=access).status == 200  # that does not
    age(service, speaker, 101)
    assert speaker.call("GET", "/me", token=access).status == 401
    assert speaker.call("POST", "/logout", token=access).status == 401
    assert speaker.do_refresh(refresh).status == 401
    browser = registered(web, address, "cookie")
    cookie = cookie_of(browser.do_login(browser.email)).value
    for seconds, status in ((3500, 200), (3500, 200), (3601, 401)):
        age(service, browser, seconds)
        answer = browser.do_refresh(cookie)
        assert answer.status == status
        cookie = cookie_of(answer).value
    nested = registered(web, address, "nested")  # its registration opens a session
    age(service, nested, 3601)
    assert service.query("SELECT count(*) FROM living_sessions WHERE email = %s", nested.email) == [(0,)]


def test_a_use_is_written_rarely_but_often_enough(make, address):
    service, web = make(sessions__idle="4h")
    speaker = registered(web, address)
    _, refresh = speaker.tokens(speaker.do_login(speaker.email))
    rested = "SELECT now() - last_used_at > interval '20 minutes' FROM sessions"
    age(service, speaker, 25 * 60)
    assert speaker.do_refresh(refresh).status == 200
    assert service.query(rested) == [(True,)]  # within an eighth of four hours
    age(service, speaker, 6 * 60)
    assert speaker.do_refresh(refresh).status == 200
    assert service.query(rested) == [(False,)]


def test_access_tokens_do_not_outlive_an_idle_session(make, address):
    service, web = make(sessions__idle="1m")
    speaker = registered(web, address)
    access, _ = speaker.tokens(speaker.do_login(speaker.email))
    claims = jwt.decode(access, options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] == 60


def test_the_idle_limit_follows_the_settings(make, address):
    service, web = make()
    speaker = registered(web, address)
    _, refresh = speaker.tokens(speaker.do_login(speaker.email))
    idle_until = "SELECT idle_until = 'infinity', idle_until < now() + interval '1 hour' FROM sessions"
    assert service.query(idle_until) == [(True, False)]
    service.settings["sessions.idle"] = "1h"
    service.write()
    service.stop()
    service.start()
    age(service, speaker, 3601)  # opened without a limit, and written for the last time an hour ago
    assert speaker.do_refresh(refresh).status == 200
    assert service.query(idle_until) == [(False, True)]


def test_idle_sessions_are_purged(make, address):
    service, web = make(sessions__idle="1h")
    used, rested = registered(web, address), registered(web, address)
    for speaker in (used, rested):
        speaker.do_login(speaker.email)
    age(service, rested, 2 * 86400)
    service.stop()
    service.start()  # it purges when it starts
    wait_until(lambda: service.query("SELECT email FROM sessions JOIN users ON pk = user_pk") == [(used.email,)])
