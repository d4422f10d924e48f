# SPDX-License-Identifier: MIT
"""What a session is, and when it is none any more."""
import concurrent.futures
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


# ---- rotation

def with_settings(service, **settings):
    service.settings.update({name.replace("__", "."): value for name, value in settings.items()})
    service.write()
    service.stop()
    service.start()


def at_once(count, one):
    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def thefts(service, email):
    return service.query("SELECT count(*) FROM events JOIN users ON user_pk = users.pk WHERE email = %s "
                         "AND kind = 'refresh_token_reused'", email)[0][0]


def test_fifty_refreshes_with_one_token_have_one_outcome(nginx, service, address):
    """With the present token, and with its predecessor; in two dialects, of which one does not rotate."""
    browser = registered(nginx, address, "cookie")
    other = Speaker("bearer", nginx)
    first = cookie_of(browser.do_login(browser.email)).value
    found = set()
    for _ in range(2):
        for n, answer in enumerate(at_once(50, lambda n: (browser, other)[n % 2].do_refresh(first))):
            assert answer.status == 200, answer
            # who does not rotate has nothing to hand over while the token is the present one
            successor = cookie_of(answer).value if n % 2 == 0 else answer.json.get("refresh_token")
            found |= {successor} - {None}
    assert len(found) == 1 and thefts(service, browser.email) == 0
    assert other.do_refresh(first).json["refresh_token"] == found.pop()


def test_a_predecessor_gets_its_successor_where_rotation_was_turned_off(make, address):
    service, web = make(sessions__rotate="always")
    speaker = registered(web, address)
    _, first = speaker.tokens(speaker.do_login(speaker.email))
    _, second = speaker.tokens(speaker.do_refresh(first))
    with_settings(service, sessions__rotate="never")
    assert speaker.tokens(speaker.do_refresh(first))[1] == second  # that answer was lost
    answer = speaker.do_refresh(second)
    assert answer.status == 200 and "refresh_token" not in answer.json
    assert speaker.do_refresh(first).status == 401
    assert speaker.do_refresh(second).status == 401 and thefts(service, speaker.email) == 1


def test_a_token_two_generations_old_is_theft_within_the_grace(nginx, service, address):
    for thief in ("cookie", "bearer"):
        browser = registered(nginx, address, "cookie")
        tokens = [cookie_of(browser.do_login(browser.email)).value]
        for _ in range(2):
            tokens.append(cookie_of(browser.do_refresh(tokens[-1])).value)
        assert browser.do_refresh(tokens[1]).status == 200
        assert Speaker(thief, nginx).do_refresh(tokens[0]).status == 401
        assert browser.do_refresh(tokens[2]).status == 401 and thefts(service, browser.email) == 1


def test_without_a_grace_a_token_works_once(make, address):
    service, web = make(sessions__grace="0")
    browser = registered(web, address, "cookie")
    first = cookie_of(browser.do_login(browser.email)).value
    second = cookie_of(browser.do_refresh(first)).value
    # decided by the row, not by which of two moments comes first
    assert service.query("SELECT grace_until FROM sessions") == [(None,)]
    third = cookie_of(browser.do_refresh(second)).value
    answers = at_once(50, lambda _: browser.do_refresh(third))
    assert sorted(a.status for a in answers) == [200] + [401] * 49
    assert service.query("SELECT count(*) FROM sessions") == [(0,)] and thefts(service, browser.email) == 1


# ---- log-out

class Browser:
    """Somebody with an account, an access token and a cookie, maybe of several sessions."""

    def __init__(self, web, address):
        self.speaker = registered(web, address, "cookie")
        self.log_in()

    def log_in(self):
        answer = self.speaker.do_login(self.speaker.email)
        self.access, self.cookie = answer.json["access_token"], cookie_of(answer).value

    def lives(self):
        """Whether the session of the access token does, and that of the cookie."""
        me = self.speaker.call("GET", "/me", token=self.access).status
        refreshed = Speaker("bearer", self.speaker.web).do_refresh(self.cookie).status
        return me == 200, refreshed == 200


def log_out(speaker, access=None, cookie=None, **headers):
    if cookie:
        headers["Cookie"] = "refresh_token=" + cookie
    return speaker.call("POST", "/logout", token=access, headers={k.replace("_", "-"): v for k, v in headers.items()})


def outcome(answer):
    cleared = "Set-Cookie" in answer.headers and (cookie_of(answer).value, cookie_of(answer)["max-age"]) == ("", "0")
    return answer.status, cleared


GARBAGE = "a.b.c"


def test_logging_out_by_cookie_takes_either_token(nginx, address):
    for access, cookie in ((True, True), (True, False), (False, True)):
        browser = Browser(nginx, address)
        for bad in (None, GARBAGE) if not (access and cookie) else (None,):
            browser.log_in()
            answer = log_out(browser.speaker, browser.access if access else bad, browser.cookie if cookie else bad)
            assert outcome(answer) == (200, True), (access, cookie, bad)
            assert browser.lives() == (False, False)


def test_logging_out_by_cookie_ends_each_session_that_is_named(nginx, address):
    browser, other = Browser(nginx, address), Browser(nginx, address)
    first = browser.access
    browser.log_in()  # the cookie is that of another session now
    assert outcome(log_out(browser.speaker, first, browser.cookie)) == (200, True)
    assert browser.lives() == (False, False) and browser.speaker.call("GET", "/me", token=first).status == 401
    browser.log_in()
    assert outcome(log_out(browser.speaker, browser.access, other.cookie)) == (200, True)  # of two users
    assert browser.lives() == other.lives() == (False, False)
    other.log_in()
    assert outcome(log_out(browser.speaker, browser.access, other.cookie)) == (200, True)  # one is dead already
    assert other.lives() == (False, False)
    browser.log_in()
    assert outcome(log_out(browser.speaker, browser.access, other.cookie)) == (200, True)
    assert browser.lives() == (False, False)


def test_logging_out_by_cookie_without_a_living_session_clears_it_too(nginx, address):
    browser = Browser(nginx, address)
    assert outcome(log_out(browser.speaker, browser.access)) == (200, True)
    for access in (None, browser.access, GARBAGE):
        for cookie in (None, browser.cookie, GARBAGE, browser.access):
            answer = log_out(browser.speaker, access, cookie)
            assert outcome(answer) == (401, True) and answer.headers["WWW-Authenticate"].startswith("Bearer")
            assert answer.json["code"] == ("unauthorized" if access == browser.access or not cookie else "invalid_token")


def test_logging_out_by_cookie_with_what_has_expired(make, address):
    service, web = make(tokens__access_ttl="1s")
    browser = Browser(web, address)
    wait_until(lambda: browser.speaker.call("GET", "/me", token=browser.access).status == 401)
    assert outcome(log_out(browser.speaker, browser.access)) == (401, True)  # nothing but what has expired
    assert outcome(log_out(browser.speaker, browser.access, browser.cookie)) == (200, True)
    assert service.query("SELECT count(*) FROM sessions") == [(0,)]
    browser.log_in()
    service.query("UPDATE sessions SET expires_at = now()")
    assert outcome(log_out(browser.speaker, None, browser.cookie)) == (401, True)


def test_other_sites_log_nobody_out(nginx, address):
    browser = Browser(nginx, address)
    for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec_Fetch_Site": "cross-site"}, {"Sec_Fetch_Site": "same-site"}):
        for access, cookie in ((None, browser.cookie), (browser.access, None), (None, None)):
            answer = log_out(browser.speaker, access, cookie, **headers)
            assert (outcome(answer), answer.json["code"]) == ((403, False), "cross_site")
    assert browser.lives() == (True, True)


def test_logging_out_elsewhere(nginx, address):
    """Where an access token is needed it decides; a refresh token beside it counts if it is the same user's."""
    nested, other = registered(nginx, address, "nested"), registered(nginx, address, "nested")
    access, first = nested.tokens(nested.do_login(nested.email))
    second_access, second = nested.tokens(nested.do_login(nested.email))
    other_access, others = other.tokens(other.do_login(other.email))
    assert nested.call("POST", "/logout", {"refresh": first}).status == 401
    assert nested.call("POST", "/logout", {"refresh": others}, token=access).status == 204
    assert nested.do_refresh(first).status == 401 and other.do_refresh(others).status == 200
    assert nested.call("POST", "/logout", {"refresh": second}, token=access).status == 401  # that one is dead
    assert nested.do_refresh(second).status == 200
    access, first = nested.tokens(nested.do_login(nested.email))
    assert nested.call("POST", "/logout", {"refresh": second}, token=access).status == 204
    assert nested.do_refresh(first).status == nested.do_refresh(second).status == 401
    assert nested.call("POST", "/logout", {"refresh": GARBAGE}, token=other_access).status == 204
    assert other.do_refresh(others).status == 401

    for dialect in ("bearer", "token"):
        speaker = registered(nginx, address, dialect)
        access, refresh = speaker.tokens(speaker.do_login(speaker.email))
        assert speaker.call("POST", "/logout", headers={"Cookie": "refresh_token=" + refresh}).status == 401
        assert speaker.call("POST", "/logout", token=access).status == 200 and speaker.do_refresh(refresh).status == 401

    content = registered(nginx, address, "content")
    access, refresh = content.tokens(content.do_login(content.email))
    for bad in (access, GARBAGE):
        answer = content.call("POST", "/logout/", {"refresh_token": bad})
        assert (answer.status, answer.json["error"]) == (400, "Invalid or expired refresh token.")
    assert content.call("POST", "/logout/", token=access).json["error"] == "Refresh token required."
    assert content.call("GET", "/me", token=access).status == 200
    assert content.call("POST", "/logout/", {"refresh_token": refresh}).status == 200
    assert content.call("GET", "/me", token=access).status == 401


def test_many_sessions_do_not_keep_a_password_from_changing(nginx, service, address):
    """All are dead at once; that their rows go is not waited for."""
    speaker = registered(nginx, address)
    access, _ = speaker.tokens(speaker.do_login(speaker.email))
    service.query("INSERT INTO sessions (user_pk, id, expires_at) SELECT pk, gen_random_uuid(), now() + interval '1 day' "
                  "FROM users, generate_series(1, 20000) WHERE email = %s", speaker.email)
    living = "SELECT count(*) FROM living_sessions WHERE email = %s"
    assert service.query(living, speaker.email) == [(20001,)]
    answer = speaker.call("POST", "/change-password", {"current_password": PASSWORD, "new_password": "new password"}, token=access)
    assert answer.status == 200 and service.query(living, speaker.email) == [(1,)]
    assert service.query("SELECT count(*) > 1 FROM sessions JOIN users ON user_pk = pk WHERE email = %s", speaker.email) == [(True,)]
    assert speaker.call("GET", "/me", token=access).status == 200
