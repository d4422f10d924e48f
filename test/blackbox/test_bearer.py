# SPDX-License-Identifier: MIT
"""The dialect bearer as its description writes it down, through both web servers."""
import jwt
import pytest

PASSWORD = "password123"


@pytest.fixture
def account(web, address):
    """A registered e-mail."""
    email = address()
    answer = web.post("/api/auth/register", {"email": email, "password": PASSWORD, "full_name": "John Doe"})
    assert answer.status == 201, answer
    return email


def log_in(web, email, password=PASSWORD):
    answer = web.post("/api/auth/login", {"username": email, "password": password})
    assert answer.status == 200, answer
    return answer.json


def test_register(web, address):
    body = {"email": address(), "password": PASSWORD, "full_name": "John Doe"}
    answer = web.post("/api/auth/register", body)
    assert (answer.status, answer.json) == (201, {
        "message": "User registered successfully. Please check your email for verification."})
    answer = web.post("/api/auth/register", {**body, "email": body["email"].upper()})
    assert (answer.status, answer.json["detail"], answer.json["code"]) == (409, "Email already registered", "email_taken")


def test_login(web, account):
    answer = web.post("/api/auth/login", {"username": account, "password": PASSWORD})
    assert answer.status == 200
    assert list(answer.json) == ["access_token", "refresh_token", "token_type"]
    assert answer.json["token_type"] == "bearer"
    answer = web.post("/api/auth/login", {"username": account, "password": "wrong password"})
    assert (answer.status, answer.json["detail"]) == (401, "Invalid credentials")
    assert web.post("/auth/login/", {"email": account.upper(), "password": PASSWORD}).status == 200


def test_me(web, account):
    me = web.get("/api/auth/me", token=log_in(web, account)["access_token"])
    assert me.status == 200
    assert (me.json["email"], me.json["full_name"], me.json["first_name"], me.json["last_name"]) == (
        account, "John Doe", "John", "Doe")


def test_logout_ends_access_and_refresh_at_once(web, account):
    tokens = log_in(web, account)
    answer = web.post("/api/auth/logout", token=tokens["access_token"])
    assert (answer.status, answer.json) == (200, {"message": "Successfully logged out"})
    assert web.get("/api/auth/me", token=tokens["access_token"]).status == 401
    assert web.post("/api/auth/logout", token=tokens["access_token"]).status == 401
    assert web.post("/api/auth/refresh", {"refresh_token": tokens["refresh_token"]}).status == 401


def test_refresh(web, account):
    tokens = log_in(web, account)
    for _ in range(3):
        answer = web.post("/api/auth/refresh", {"refresh_token": tokens["refresh_token"]})
        assert (answer.status, list(answer.json)) == (200, ["access_token", "token_type"])
        assert web.get("/api/auth/me", token=answer.json["access_token"]).status == 200
    for bad in ("nonsense", tokens["access_token"], tokens["refresh_token"][:-2] + "xx", "a.b.c"):
        answer = web.post("/api/auth/refresh", {"refresh_token": bad})
        assert (answer.status, answer.json["code"]) == (401, "invalid_token")


def test_verify(web, service, account):
    token = service.token(account, "verify")
    assert web.request("HEAD", f"/api/auth/verify/{token}").status == 200
    assert web.get("/api/auth/me", token=log_in(web, account)["access_token"]).json["email_verified"] is False
    for _ in range(2):  # mail scanners open links first
        answer = web.get(f"/api/auth/verify/{token}")
        assert (answer.status, answer.json) == (200, {"message": "Email verified successfully"})
    assert web.get("/api/auth/me", token=log_in(web, account)["access_token"]).json["email_verified"] is True
    for bad in ("nonsense", token[:-1] + ("A" if token[-1] != "A" else "E"), "x" * 43):
        answer = web.get(f"/api/auth/verify/{bad}")
        assert (answer.status, answer.json["detail"]) == (400, "Invalid or expired verification token")


def test_password_reset(web, service, account):
    before = log_in(web, account)
    answer = web.post("/api/auth/password-reset", {"email": account})
    assert (answer.status, answer.json) == (200, {"message": "Password reset instructions sent to your email"})
    path = "/api/auth/password-reset/" + service.token(account, "password-reset")
    answer = web.post(path, {"new_password": "newpassword123", "confirm_password": "another password"})
    assert (answer.status, answer.json["code"], list(answer.json["errors"])) == (400, "invalid_input", ["confirm_password"])
    assert web.post(path, {"new_password": "short", "confirm_password": "short"}).json["code"] == "invalid_input"
    new = {"new_password": "newpassword123", "confirm_password": "newpassword123"}
    answer = web.post(path, new)
    assert (answer.status, answer.json) == (200, {"message": "Password reset successful"})
    answer = web.post(path, new)
    assert (answer.status, answer.json["detail"]) == (400, "Invalid or expired reset token")
    assert web.get("/api/auth/me", token=before["access_token"]).status == 401
    assert web.post("/api/auth/login", {"username": account, "password": PASSWORD}).status == 401
    me = web.get("/api/auth/me", token=log_in(web, account, "newpassword123")["access_token"])
    assert me.json["email_verified"] is True


def test_password_reset_of_nobody(web):
    answer = web.post("/api/auth/password-reset", {"email": "nobody@example.com"})
    assert (answer.status, answer.json["detail"]) == (404, "Email not found")


def test_change_password_ends_the_other_sessions(web, account):
    here, elsewhere = log_in(web, account), log_in(web, account)
    change = {"current_password": "wrong password", "new_password": "newpassword123"}
    answer = web.post("/api/auth/change-password", change, token=here["access_token"])
    assert (answer.status, answer.json["detail"]) == (400, "Incorrect current password")
    assert web.post("/api/auth/change-password", change).status == 401
    answer = web.post("/api/auth/change-password", {**change, "current_password": PASSWORD}, token=here["access_token"])
    assert (answer.status, answer.json) == (200, {"message": "Password updated successfully"})
    assert web.get("/api/auth/me", token=here["access_token"]).status == 200
    assert web.get("/api/auth/me", token=elsewhere["access_token"]).status == 401
    log_in(web, account, "newpassword123")


def test_resend_voids_nothing_until_one_was_used(web, service, account):
    first = service.token(account, "verify")
    for _ in range(2):
        assert web.post("/api/auth/verify/resend", {"email": account}).status == 200
    newest = service.token(account, "verify", 3)
    assert web.get(f"/api/auth/verify/{first}").status == 200
    assert web.get(f"/api/auth/verify/{newest}").status == 400
    assert web.get(f"/api/auth/verify/{first}").status == 200
    assert web.post("/api/auth/verify/resend", {"email": "nobody@example.com"}).status == 200


def test_another_implementation_verifies_access_tokens(web, account):
    token = log_in(web, account)["access_token"]
    keys = jwt.PyJWKSet.from_dict(web.get("/api/auth/.well-known/jwks.json").json)
    header = jwt.get_unverified_header(token)
    assert (header["alg"], header["typ"]) == ("ES256", "at+jwt")
    key = next(k for k in keys.keys if k.key_id == header["kid"])
    claims = jwt.decode(token, key.key, algorithms=["ES256"], issuer="http://localhost/api/auth",
                        audience="http://localhost/api/auth")
    assert set(claims) == {"iss", "aud", "client_id", "sub", "sid", "jti", "iat", "exp"}
    assert claims["exp"] - claims["iat"] == 900


def test_health(web):
    assert (web.get("/api/auth/health").status, web.get("/auth/health/").json) == (200, {"status": "ok"})


def test_answers_carry_the_headers(web):
    answer = web.get("/api/auth/me")
    assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert 'error="invalid_token"' in web.get("/api/auth/me", token="nonsense").headers["WWW-Authenticate"]


def test_every_answer_says_that_it_is_not_stored(web, account):
    """Those without a body too: 204, OPTIONS and HEAD."""
    access = web.post("/api/auth/login", {"email": account, "password": PASSWORD}, host="nested.localhost").json["tokens"]["access"]
    for status, answer in (
            (204, web.post("/api/auth/logout", token=access, host="nested.localhost")), (204, web.request("OPTIONS", "/api/auth/login")),
            (200, web.request("HEAD", "/api/auth/health")), (200, web.get("/api/auth/health")), (404, web.get("/api/auth/nothing")),
            (405, web.request("PUT", "/api/auth/login")), (413, web.post("/api/auth/login", b"x" * 70000))):
        assert (answer.status, answer.headers.get_all("Cache-Control"), answer.headers.get_all("X-Content-Type-Options")) == (
            status, ["no-store"], ["nosniff"])


def test_head_and_options(web):
    head = web.request("HEAD", "/api/auth/health")
    assert (head.status, head.body) == (200, b"")
    assert head.headers["Content-Length"] in ("15", None)  # Apache keeps it to itself
    options = web.request("OPTIONS", "/api/auth/login")
    assert (options.status, options.headers["Allow"], options.body) == (204, "POST, OPTIONS", b"")


def test_no_token_in_the_access_log(web, service, account):
    token = service.token(account, "verify")
    assert web.get(f"/api/auth/verify/{token}").status == 200
    web.post("/api/auth/verify/resend", {"email": "nobody@example.com"})
    web.get("/api/auth/health")
    log = web.access_log()
    assert "health" in log and token not in log
    assert "resend" in log
