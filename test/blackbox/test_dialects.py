# SPDX-License-Identifier: MIT
"""All five dialects at their documented URLs, and the rules that hold in each."""
import concurrent.futures
import json
import re
import time
from http.cookies import SimpleCookie

import pytest

from harness import Service, fastcgi, link_of, wait_until, whole_answer_of

PASSWORD = "password123"

# How each dialect spells things: the prefix, the paths, the keys.
SPELLINGS = {
    "nested": dict(prefix="/api/auth", register="/register", login="/login", name="email", refresh="/refresh", token="refresh",
                   error="message", forgot="/password-reset/request", reset=("/password-reset/confirm", "new_password")),
    "bearer": dict(prefix="/api/auth", register="/register", login="/login", name="username", refresh="/refresh",
                   token="refresh_token", error="detail", forgot="/password-reset", reset=("/password-reset/{}", "new_password")),
    "cookie": dict(prefix="/auth", register="/register", login="/login", name="email", refresh="/refresh", token=None,
                   error="detail", forgot="/forgot-password", reset=("/reset-password/{}", "new_password")),
    "token": dict(prefix="/auth", register="/register/", login="/token/", name="email", refresh="/token/refresh/", token="refresh",
                  error="detail", forgot="/reset-password/", reset=("/reset-password/{}/", "password")),
    "content": dict(prefix="/api/auth", register="/register/", login="/login/", name="username", refresh="/refresh/",
                    token="refresh", error="error", forgot="/password-reset/", reset=("/password-reset/{}/", "new_password")),
}


class Speaker:
    """A client of one dialect."""

    def __init__(self, name, web):
        self.name, self.web, self.__dict__ = name, web, {**SPELLINGS[name], "name": name, "web": web, "key": SPELLINGS[name]["name"]}

    def call(self, method, path, body=None, **more):
        return self.web.request(method, self.prefix + path, body, host=f"{self.name}.localhost", **more)

    def registration(self, email):
        return {"email": email, "password": PASSWORD, "full_name": "John Doe", "username": email.split("@")[0]}

    def do_register(self, email):
        return self.call("POST", self.register, self.registration(email))

    def do_login(self, email, password=PASSWORD):
        return self.call("POST", self.login, {self.key: email, "password": password})

    def do_refresh(self, token):
        if self.token:
            return self.call("POST", self.refresh, {self.token: token})
        return self.call("POST", self.refresh, headers={"Cookie": f"refresh_token={token}"})

    def tokens(self, answer):
        found = answer.json.get("tokens", answer.json.get("content", {}).get("tokens") if "content" in answer.json else None) or answer.json
        return found.get("access", found.get("access_token")), found.get("refresh", found.get("refresh_token"))


@pytest.fixture(params=SPELLINGS)
def speaker(request, nginx):
    return Speaker(request.param, nginx)


@pytest.mark.parametrize("slash", ["", "/"])
def test_documented_requests(nginx, service, address, slash):
    def post(dialect, path, body=None, **more):
        speaker = Speaker(dialect, nginx)
        return speaker.call("POST", path.rstrip("/") + slash, body, **more)
    email, john = address(), {"password": PASSWORD, "first_name": "John", "last_name": "Doe"}
    answer = post("nested", "/register", {"email": email, **john})
    assert answer.status == 201 and set(answer.json) == {"user", "tokens"}
    assert set(answer.json["user"]) == {"id", "email", "first_name", "last_name"} and set(answer.json["tokens"]) == {"access", "refresh"}
    answer = post("nested", "/login", {"email": email, "password": PASSWORD})
    tokens = answer.json["tokens"]
    assert (answer.status, answer.json["user"]["first_name"]) == (200, "John")
    assert list(post("nested", "/refresh", {"refresh": tokens["refresh"]}).json) == ["access"]
    answer = post("nested", "/logout", {"refresh": tokens["refresh"]}, token=tokens["access"])
    assert (answer.status, answer.body) == (204, b"")
    assert post("nested", "/refresh", {"refresh": tokens["refresh"]}).status == 401
    answer = post("nested", "/password-reset/request", {"email": email})
    assert answer.json["message"] == "If an account with that email exists, a password reset link has been sent."
    assert post("nested", "/password-reset/request", {"email": "nobody@example.com"}).body == answer.body
    token = service.token(email, "password-reset")
    answer = post("nested", "/password-reset/confirm", {"token": token, "new_password": "newpassword123"})
    assert (answer.status, answer.json["message"]) == (200, "Password has been reset successfully.")
    answer = post("nested", "/password-reset/confirm", {"token": token, "new_password": "newpassword123"})
    assert (answer.status, answer.json["code"]) == (400, "invalid_token")

    email = address()
    answer = post("cookie", "/register", {"email": email, "password": PASSWORD, "full_name": "John Doe"})
    assert (answer.status, answer.json["email"], answer.json["full_name"]) == (201, email, "John Doe")
    answer = post("cookie", "/forgot-password", {"email": "nobody@example.com"})
    assert (answer.status, answer.json) == (200, {"message": "Password reset email sent"})
    answer = post("cookie", "/forgot-password", {"email": email})
    token = service.token(email, "password-reset")
    answer = post("cookie", f"/reset-password/{token}", {"new_password": "newSecurePassword123"})
    assert (answer.status, answer.json) == (200, {"message": "Password updated successfully"})

    email = address()
    answer = post("token", "/register/", {"email": email, "password": PASSWORD})
    assert answer.status == 201 and answer.json["email"] == email and answer.json["id"]
    answer = post("token", "/register/", {"email": email, "password": "short"})
    assert answer.status == 400 and isinstance(answer.json["password"], list)
    answer = post("token", "/register/", {"email": email, "password": PASSWORD})
    assert (answer.status, answer.json["code"]) == (400, "email_taken")
    answer = post("token", "/token/", {"email": email, "password": PASSWORD})
    assert (answer.status, set(answer.json)) == (200, {"access", "refresh"})
    assert list(post("token", "/token/refresh/", {"refresh": answer.json["refresh"]}).json) == ["access"]
    assert post("token", "/reset-password/", {"email": "nobody@example.com"}).status == 404
    assert "detail" in post("token", "/reset-password/", {"email": email}).json
    token = service.token(email, "password-reset")
    answer = post("token", f"/reset-password/{token}/", {"password": "new_secure_password"})
    assert answer.status == 200 and "detail" in answer.json

    email = address()
    name = email.split("@")[0]
    answer = post("content", "/register/", {"username": name, "email": email, **john})
    content = answer.json["content"]
    assert answer.status == 201 and isinstance(content["pk"], int)
    assert list(content) == ["pk", "username", "email", "first_name", "last_name", "profile_image", "tokens"]
    assert content["profile_image"] is None and set(content["tokens"]) == {"refresh", "access"}
    answer = post("content", "/register/", {"username": name.upper(), "email": address(), **john})
    assert (answer.status, answer.json["code"]) == (400, "username_taken")
    answer = post("content", "/login/", {"username": name, "password": PASSWORD})
    assert (answer.status, set(answer.json)) == (200, {"refresh", "access"})
    refresh = answer.json["refresh"]
    answer = post("content", "/login/", {"username": name, "password": "wrong password"})
    assert (answer.status, answer.json["error"]) == (401, "No active account found with the given credentials")
    assert list(post("content", "/refresh/", {"refresh": refresh}).json) == ["access"]
    for body in ({}, {"refresh_token": ""}):
        answer = post("content", "/logout/", body)
        assert (answer.status, answer.json["error"]) == (400, "Refresh token required.")
    answer = post("content", "/logout/", {"refresh_token": refresh})
    assert (answer.status, answer.json) == (200, {"detail": "Successfully logged out."})
    answer = post("content", "/logout/", {"refresh_token": refresh})
    assert (answer.status, answer.json["error"]) == (400, "Invalid or expired refresh token.")
    answer = post("content", "/refresh/", {"refresh": refresh})
    assert (answer.status, answer.json["error"]) == (401, "Token is invalid or expired")


def test_who_registers_in_one_logs_in_through_all(nginx, speaker, address):
    email = address()
    assert speaker.do_register(email).status == 201
    for name in SPELLINGS:
        for login in (email, email.split("@")[0].upper()):
            assert Speaker(name, nginx).do_login(login).status == 200, name


def test_life_of_an_account(speaker, service, address):
    email = address()
    assert speaker.do_register(email).status == 201
    assert speaker.call("GET", "/verify/" + service.token(email, "verify")).status == 200
    access, refresh = speaker.tokens(speaker.do_login(email))
    me = speaker.call("GET", "/me", token=access)
    assert me.status == 200 and email in str(me.json)
    assert speaker.do_refresh(refresh).status == 200
    answer = speaker.call("POST", "/change-password", {"current_password": PASSWORD, "new_password": "newpassword123"}, token=access)
    assert answer.status == 200
    assert speaker.call("POST", "/verify/resend", {"email": email}).status == 200
    assert speaker.call("POST", speaker.forgot, {"email": email}).status == 200
    path, key = speaker.reset
    token = service.token(email, "password-reset")
    assert speaker.call("POST", path.format(token), {key: "third password", "token": token, "confirm_password": "third password"}).status == 200
    assert speaker.call("GET", "/me", token=access).status == 401
    access, refresh = speaker.tokens(speaker.do_login(email, "third password"))
    body = {"refresh_token": refresh} if speaker.name == "content" else None
    assert speaker.call("POST", "/logout", body, token=access).status in (200, 204)
    assert speaker.call("GET", "/me", token=access).status == 401
    assert speaker.do_refresh(refresh).status == 401


def test_head_of_a_link_verifies_nothing(speaker, service, address):
    """Scanners and previews ask for the head of a link before its reader does."""
    email = address()
    speaker.do_register(email)
    token = service.token(email, "verify")
    before = service.query("SELECT users::text, tokens::text FROM users JOIN one_time_tokens tokens ON user_pk = pk WHERE email = %s", email)
    for path, status in ((f"/verify/{token}", 200), (f"/verify/{token}/", 200), ("/verify/" + "x" * 43, 400), ("/verify/x", 400)):
        answer = speaker.call("HEAD", path)
        assert (answer.status, answer.body, answer.headers["Cache-Control"]) == (status, b"", "no-store")
    assert service.query("SELECT users::text, tokens::text FROM users JOIN one_time_tokens tokens ON user_pk = pk WHERE email = %s", email) == before
    assert speaker.call("GET", f"/verify/{token}").status == 200
    assert service.query("SELECT email_verified_at IS NULL FROM users WHERE email = %s", email) == [(False,)]
    assert speaker.call("HEAD", f"/verify/{token}").status == 200  # as GET says too, as long as the link lives


def test_errors_are_in_the_dialect(speaker):
    def check(answer, status, code):
        assert (answer.status, answer.json["code"]) == (status, code), answer
        assert isinstance(answer.json[speaker.error], str)
        assert answer.headers["Cache-Control"] == "no-store"
        return answer
    check(speaker.call("POST", speaker.login, b"nonsense", headers={"Content-Type": "application/json"}), 400, "malformed_json")
    check(speaker.call("POST", speaker.login, b"{}", headers={"Content-Type": "text/plain"}), 415, "unsupported_media_type")
    check(speaker.call("POST", speaker.login, b"x" * 70000, headers={"Content-Type": "application/json"}), 413, "body_too_large")
    check(speaker.call("GET", "/nothing"), 404, "not_found")
    check(speaker.call("PUT", speaker.login), 405, "method_not_allowed")
    check(speaker.call("GET", "/me"), 401, "unauthorized")
    check(speaker.do_login("nobody@example.com"), 401, "invalid_credentials")
    answer = check(speaker.call("POST", speaker.login, {speaker.key: 7}), 400, "invalid_input")
    fields = answer.json if speaker.name == "token" else answer.json["errors"]
    assert isinstance(fields[speaker.key], list) and isinstance(fields["password"], list)


def test_taken_email(speaker, address):
    email = address()
    speaker.do_register(email)
    answer = speaker.call("POST", speaker.register, {**speaker.registration(email), "username": "other" + email.split("@")[0]})
    assert (answer.status, answer.json["code"]) == (400 if speaker.name in ("token", "content") else 409, "email_taken")


@pytest.mark.parametrize("name", SPELLINGS)
def test_links_lead_to_the_dialect_in_force(cluster, name):
    """Where nobody set links.*, each link is a path that api.dialect serves."""
    spelling = SPELLINGS[name]
    service = Service(cluster, api__dialect=name)
    try:
        def post(path, body):
            return whole_answer_of(fastcgi(service, path, "POST", json.dumps(body).encode()))[0]

        def link(subject):
            (message,) = wait_until(lambda: service.mails("jane@example.com", subject))
            base, path = link_of(message).split("http://localhost/api/auth")
            return path
        registration = {"email": "jane@example.com", "password": PASSWORD, "full_name": "J", "username": "jane"}
        assert post(spelling["register"], registration) == 201
        assert whole_answer_of(fastcgi(service, link("email")))[0] == 200
        assert post(spelling["forgot"], {"email": "jane@example.com"}) == 200
        path, key = spelling["reset"]
        found = link("password")
        token = re.search(r"[\w-]{43}", found).group()
        assert found == (path.format(token) if "{}" in path else f"{path}#token={token}")
        assert post(found.split("#")[0], {key: "newpassword123", "confirm_password": "newpassword123", "token": token}) == 200
        assert post(spelling["login"], {spelling["name"]: "jane@example.com", "password": "newpassword123"}) == 200
        assert f"\nreset = {{base_url}}{found.replace(token, '{token}')}\n" in service.command("config").stdout
    finally:
        service.close()


# ---- the cookie, and rotation

@pytest.fixture
def browser(nginx, address):
    speaker = Speaker("cookie", nginx)
    email = address()
    speaker.do_register(email)
    speaker.email = email
    return speaker


def cookie_of(answer):
    return SimpleCookie(answer.headers["Set-Cookie"])["refresh_token"]


def test_cookie_attributes(browser):
    cookie = cookie_of(browser.do_login(browser.email))
    assert cookie["httponly"] and cookie["samesite"] == "Strict" and cookie["path"] == "/auth" and not cookie["secure"]
    answer = browser.web.post("/auth/login", {"email": browser.email, "password": PASSWORD}, host="cookie.localhost",
                              headers={"Host": "www.example.com"})
    assert "Set-Cookie" not in answer.headers  # another host speaks the default dialect


@pytest.mark.parametrize("base, host, https, secure", [
    ("http://localhost/auth", "localhost:8080", "", False), ("http://localhost/auth", "127.0.0.1", "", False),
    ("http://localhost/auth", "cookie.localhost", "", False), ("http://localhost/auth", "[::1]:80", "", False),
    ("http://localhost/auth", "localhost", "on", True), ("http://localhost/auth", "www.example.com", "", True),
    ("http://localhost/auth", "localhost.example.com", "", True), ("http://localhost/auth", "127.0.0.1.example.com", "", True),
    ("https://www.example.com/auth", "localhost", "", True), ("https://www.example.com/auth", "127.0.0.1", "", True)])
def test_cookies_are_secure_but_on_the_machine_itself(plain_and_tls, base, host, https, secure):
    """Anybody may send any Host; only who set api.base_url to plain HTTP can mean it."""
    status, headers, _ = whole_answer_of(fastcgi(plain_and_tls[base], "/refresh", "POST", LATCHKEY_DIALECT="cookie",
                                                 HTTP_HOST=host, HTTPS=https))
    assert status == 401
    assert headers["Set-Cookie"].endswith("; Secure") is secure and "HttpOnly; SameSite=Strict" in headers["Set-Cookie"]


@pytest.fixture(scope="module")
def plain_and_tls(cluster):
    services = {base: Service(cluster, api__base_url=base) for base in ("http://localhost/auth", "https://www.example.com/auth")}
    yield services
    for service in services.values():
        service.close()


def test_cookie_is_cleared_when_it_is_no_good(browser):
    for headers in ({}, {"Cookie": "refresh_token=nonsense"}):
        answer = browser.call("POST", "/refresh", headers=headers)
        assert (answer.status, cookie_of(answer).value, cookie_of(answer)["max-age"]) == (401, "", "0")


def test_logout_clears_the_cookie(browser):
    login = browser.do_login(browser.email)
    answer = browser.call("POST", "/logout", token=login.json["access_token"])
    assert (answer.status, cookie_of(answer).value) == (200, "")


@pytest.mark.parametrize("headers", [
    {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "Same-Origin"}, {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"},
    {"Origin": "http://cookie.localhost"}, {"Origin": "http://cookie.localhost:1"}, {"Origin": "https://cookie.localhost"},
    {"Host": "cookie.localhost", "Origin": "http://cookie.localhost:8080"},
    {"Host": "cookie.localhost", "Origin": "https://cookie.localhost"}])
def test_other_sites_are_refused(browser, headers):
    cookie = cookie_of(browser.do_login(browser.email)).value
    answer = browser.call("POST", "/refresh", headers={"Cookie": f"refresh_token={cookie}", **headers})
    assert (answer.status, answer.json["code"]) == (403, "cross_site")


@pytest.mark.parametrize("headers", [
    {}, {"Sec-Fetch-Site": "none"}, {"Sec-Fetch-Site": "same-origin"}, {"Origin": "http://cookie.localhost:{port}"},
    {"Origin": "http://COOKIE.localhost:{port}", "Sec-Fetch-Site": "same-origin"}, {"Origin": "http://localhost"},  # api.base_url
    {"Host": "cookie.localhost", "Origin": "http://cookie.localhost"}, {"Host": "cookie.localhost:80", "Origin": "http://cookie.localhost"},
    # a development server's proxy: the page's own origin is not the one that the request is sent on to
    {"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost:5173"}])
def test_the_own_site_passes(browser, headers):
    cookie = cookie_of(browser.do_login(browser.email)).value
    headers = {name: value.format(port=browser.web.port) for name, value in headers.items()}
    assert browser.call("POST", "/refresh", headers={"Cookie": f"refresh_token={cookie}", **headers}).status == 200


def test_over_tls_the_own_origin_is_https(service):
    """The web server says HTTPS=on; without a port both are 443."""
    def refresh(origin, **more):
        peer = fastcgi(service, "/refresh", "POST", LATCHKEY_DIALECT="cookie", HTTP_COOKIE="refresh_token=x", HTTP_ORIGIN=origin,
                       HTTP_HOST="www.example.com", HTTPS="on", **more)
        return whole_answer_of(peer)[0]
    assert refresh("https://www.example.com") == refresh("https://www.example.com:443") == 401
    assert refresh("http://www.example.com") == refresh("https://www.example.com:8443") == 403


def test_listed_origins_may_use_the_cookie(make, address):
    service, web = make(http__origins="https://app.example.com")
    browser = Speaker("cookie", web)
    email = address()
    browser.do_register(email)
    for site in ("cross-site", "same-site", "same-origin"):
        cookie = cookie_of(browser.do_login(email)).value
        for origin, status in (("https://app.example.com", 200), ("https://app.example.com:444", 403)):
            headers = {"Cookie": f"refresh_token={cookie}", "Origin": origin, "Sec-Fetch-Site": site}
            answer = browser.call("POST", "/refresh", headers=headers)
            assert answer.status == (200 if site == "same-origin" else status)


def sessions(service, email):
    return service.query("SELECT generation FROM sessions JOIN users ON user_pk = users.pk WHERE email = %s", email)


def stolen(service, email):
    return service.query("SELECT count(*) FROM events JOIN users ON user_pk = users.pk WHERE email = %s AND kind = 'refresh_token_reused'", email)[0][0]


def test_simultaneous_refreshes_agree(browser, service):
    first = cookie_of(browser.do_login(browser.email)).value
    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(browser.do_refresh, [first] * 50))
    assert {a.status for a in answers} == {200}
    assert len({cookie_of(a).value for a in answers}) == 1
    assert sessions(service, browser.email) == [(1,)]


def test_a_token_two_generations_old_ends_the_session(browser, service):
    first = cookie_of(browser.do_login(browser.email)).value
    second = cookie_of(browser.do_refresh(first)).value
    third = cookie_of(browser.do_refresh(second)).value
    assert browser.do_refresh(first).status == 401
    assert browser.do_refresh(third).status == 401
    assert sessions(service, browser.email) == [] and stolen(service, browser.email) == 1


def test_the_predecessor_is_honoured_only_until_its_successor_is_used(browser, service):
    first = cookie_of(browser.do_login(browser.email)).value
    second = cookie_of(browser.do_refresh(first)).value
    assert cookie_of(browser.do_refresh(first)).value == second
    # elsewhere, without rotation, the successor is used
    assert Speaker("bearer", browser.web).do_refresh(second).status == 200
    assert browser.do_refresh(first).status == 401
    assert stolen(service, browser.email) == 1


def test_the_predecessor_after_the_grace(make, address):
    service, web = make(sessions__grace="1s")
    browser = Speaker("cookie", web)
    email = address()
    browser.do_register(email)
    first = cookie_of(browser.do_login(email)).value
    second = cookie_of(browser.do_refresh(first)).value
    time.sleep(1.5)
    assert browser.do_refresh(first).status == 401
    assert browser.do_refresh(second).status == 401
    assert stolen(service, email) == 1


def test_rotation_in_all_dialects_and_in_none(make, address):
    service, web = make(sessions__rotate="always")
    email = address()
    Speaker("bearer", web).do_register(email)
    for name in ("bearer", "nested", "token", "content"):
        speaker = Speaker(name, web)
        _, refresh = speaker.tokens(speaker.do_login(email))
        _, successor = speaker.tokens(speaker.do_refresh(refresh))
        assert successor and successor != refresh and speaker.do_refresh(successor).status == 200
    service.settings["sessions.rotate"] = "never"
    service.write()
    service.stop()
    service.start()
    browser = Speaker("cookie", web)
    cookie = cookie_of(browser.do_login(email)).value
    for _ in range(3):
        assert browser.do_refresh(cookie).status == 200


# ---- what must hold whatever the envelope is

def without_date(answer):
    return answer.status, answer.body, sorted((k, v) for k, v in answer.headers.items() if k != "Date")


def test_log_in_does_not_tell_who_has_an_account(speaker, address):
    email = address()
    speaker.do_register(email)
    assert without_date(speaker.do_login(email, "wrong password")) == without_date(speaker.do_login("nobody@example.com", "wrong password"))


def test_asking_for_a_reset_tells_only_where_that_is_documented(speaker, address):
    email = address()
    speaker.do_register(email)
    known, unknown = (speaker.call("POST", speaker.forgot, {"email": e}) for e in (email, "nobody@example.com"))
    if speaker.name in ("bearer", "token"):
        assert (known.status, unknown.status, unknown.json["code"]) == (200, 404, "email_not_found")
    else:
        assert without_date(known) == without_date(unknown) and known.status == 200


def test_limits_and_hiding(make, address):
    service, web = make(limits__login="2/1m", api__reveal_unknown_email="never")
    for name in SPELLINGS:
        speaker = Speaker(name, web)
        email = address()
        assert speaker.do_register(email).status == 201
        assert [speaker.do_login(email, "wrong password").status for _ in range(2)] == [401, 401]
        answer = speaker.do_login(email)
        assert (answer.status, answer.json["code"]) == (429, "too_many_requests") and isinstance(answer.json[speaker.error], str)
        assert int(answer.headers["Retry-After"]) > 0
        service.query("TRUNCATE rate_limits")  # the network's share is one for all dialects
        known, unknown = (speaker.call("POST", speaker.forgot, {"email": e}) for e in (email, "nobody@example.com"))
        assert without_date(known) == without_date(unknown) and known.status == 200


def test_a_taken_username_does_not_tell_of_the_email(make, address):
    """Where registration hides who has an account, any username that is known to be taken would ask for one."""
    service, web = make(api__reveal_unknown_email="never")

    def register(email, username):
        answer = web.post("/api/auth/register", {"email": email, "username": username, "password": "password123", "full_name": "J"})
        return answer.status, answer.body
    email, other = address(), address()
    assert register(email, "ann")[0] == register(other, other)[0] == 201
    assert register(email, "Ann") == register(other, "ann") == register(address(), "ann")
    assert register(email, "ann")[0] == 409
    # as long as the username is free, or the e-mail itself, both are alike too
    new = address()
    assert register(email, "bob") == register(new, "eve") == register(other, other) == register(email, email)
    wait_until(lambda: len(service.mails(email)) == 3 and len(service.mails(other)) == 2)
    assert service.query("SELECT email, username FROM users ORDER BY pk") == [(email, "ann"), (other, other), (new, "eve")]


def test_a_disabled_user_is_out(speaker, service, address):
    email = address()
    speaker.do_register(email)
    access, refresh = speaker.tokens(speaker.do_login(email))
    service.query("UPDATE users SET disabled_at = now() WHERE email = %s", email)
    assert speaker.call("GET", "/me", token=access).status == 401
    assert speaker.do_refresh(refresh).status == 401
    assert speaker.do_login(email).status == 401
