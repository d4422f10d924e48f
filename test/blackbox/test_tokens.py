# SPDX-License-Identifier: MIT
"""What other services rely on: every algorithm, what a token says, how its key is found, and that nothing
else passes for it (RFC 7519, RFC 8725, RFC 9068)."""
import base64
import json
import re
import subprocess
import time

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from harness import ROOT
from test_dialects import SPELLINGS, Speaker
from test_rules import log_in, register

ISSUER = "http://localhost/api/auth"
ALGORITHMS = ["ES256", "EdDSA", "RS256", "HS256"]


def private_key(service):
    """The newest key as PyJWT takes it: an HMAC key by the command of README.md."""
    path = max((service.dir / "keys").glob("*.pem"))
    if b"HMAC" not in path.read_bytes():
        return load_pem_private_key(path.read_bytes(), None)
    command = next(c for c in re.findall("`(.*?)`", (ROOT / "README.md").read_text()) if "KEYFILE | base64" in c)
    secret = subprocess.check_output(command.replace("KEYFILE", str(path)), shell=True)
    assert len(secret) == 32
    return secret


def encode(part):
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


def sign(key, algorithm, header, claims):
    """Any header over any claims, signed with a key and an algorithm that the header need not name."""
    text = ".".join(encode(json.dumps(part).encode()) for part in (header, claims))
    signer = jwt.algorithms.get_default_algorithms()[algorithm]
    return f"{text}.{encode(signer.sign(text.encode(), key))}"


@pytest.fixture(params=ALGORITHMS)
def algorithm(request):
    return request.param


def test_tokens_of_every_algorithm(make, address, algorithm):
    service, web = make(tokens__algorithm=algorithm, tokens__audience="https://shop.example.com", tokens__client_id="shop")
    email = address()
    assert register(web, email).status == 201
    tokens = log_in(web, email).json
    access, refresh = tokens["access_token"], tokens["refresh_token"]
    me = web.get("/api/auth/me", token=access)
    assert me.status == 200

    # verified as another service would
    published = web.get("/api/auth/.well-known/jwks.json").json
    header = jwt.get_unverified_header(access)
    assert (header["alg"], header["typ"]) == (algorithm, "at+jwt")
    if algorithm == "HS256":
        assert published == {"keys": []}
        key = private_key(service)
    else:
        assert [(k["kid"], k["alg"], k["use"]) for k in published["keys"]] == [(header["kid"], algorithm, "sig")]
        assert not {"d", "p", "q", "dp", "dq", "qi", "k"} & set(published["keys"][0])
        key = jwt.PyJWKSet.from_dict(published)[header["kid"]].key
    claims = jwt.decode(access, key, algorithms=[algorithm], issuer=ISSUER, audience="https://shop.example.com",
                        options={"require": ["iss", "aud", "client_id", "sub", "sid", "jti", "iat", "exp"]})
    assert claims["client_id"] == "shop" and claims["sub"] == me.json["id"] and claims["exp"] - claims["iat"] == 900
    assert "latchkey" not in json.dumps(claims)

    discovered = web.get("/api/auth/.well-known/openid-configuration").json
    assert discovered["id_token_signing_alg_values_supported"] == [algorithm]

    # each token for its own use alone
    assert web.get("/api/auth/me", token=refresh).status == 401
    assert web.post("/api/auth/refresh", {"refresh_token": access}).status == 401
    assert web.post("/api/auth/refresh", {"refresh_token": refresh}).status == 200

    def me_with(token):
        answer = web.get("/api/auth/me", token=token)
        if answer.status != 200:
            assert (answer.status, answer.json["code"]) == (401, "unauthorized")
            assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
        return answer.status == 200

    # our own forger without a lie is believed, so what follows is refused for its lie
    own = private_key(service)
    now = int(time.time())
    assert me_with(sign(own, algorithm, header, {**claims, "nbf": now}))
    for lie in ({"aud": ISSUER}, {"aud": "latchkey"}, {"aud": None}, {"aud": ["https://shop.example.com", "x"]}, {"iss": "http://localhost"},
                {"iss": None}, {"nbf": now + 60}, {"nbf": "0"}, {"exp": now - 1}, {"exp": None}, {"iat": now + 600}, {"sid": claims["jti"]}):
        assert not me_with(sign(own, algorithm, header, {k: v for k, v in {**claims, **lie}.items() if v is not None})), lie
    own_key = {"kty": "oct", "k": "AAAA"}
    for lie in ({"typ": "JWT"}, {"typ": "rt+jwt"}, {"typ": None}, {"alg": "none"}, {"alg": "HS384"}, {"kid": "unknown"}, {"kid": None},
                {"jku": "https://example.com/keys"}, {"jwk": own_key}, {"x5u": "https://example.com"}, {"x5c": ["AAAA"]},
                {"crit": ["exp"]}):
        assert not me_with(sign(own, algorithm, {k: v for k, v in {**header, **lie}.items() if v is not None}, claims)), lie
    for other in ALGORITHMS:  # a secret that everybody knows, and the public key as one (RFC 8725 section 2.1)
        for secret in (b"", b"secret" * 8, json.dumps(published["keys"][:1]).encode()):
            assert not me_with(sign(secret, "HS256", {**header, "alg": other}, claims)), other
    head, body, signature = access.split(".")
    for token in (f"{access}=", f"{head}=.{body}.{signature}", f"{head}.{body}==.{signature}", f"{head}.{body}.", f"{head}.{body}",
                  f"{access}.", f"{head}..{signature}", sign(own, algorithm, header, {**claims, "x": "y" * 4096})):
        assert not me_with(token), token[:80]
    assert me_with(access)


def test_the_audience_is_the_issuer_unless_it_is_set(nginx, address):
    email = address()
    register(nginx, email)
    claims = jwt.decode(log_in(nginx, email).json["access_token"], options={"verify_signature": False})
    assert (claims["iss"], claims["aud"], claims["client_id"]) == (ISSUER, ISSUER, "latchkey")


@pytest.mark.parametrize("name", SPELLINGS)
def test_keys_are_found_by_the_issuer(nginx, address, name):
    """OpenID Connect Discovery 1.0 sections 3 and 4, as a verifier goes that has nothing but a token."""
    speaker, email = Speaker(name, nginx), address()
    speaker.do_register(email)
    access, _ = speaker.tokens(speaker.do_login(email))
    issuer = jwt.decode(access, options={"verify_signature": False})["iss"]
    answer = speaker.call("GET", "/.well-known/openid-configuration/")
    assert answer.status == 200 and answer.headers.get_content_type() == "application/json"
    found = answer.json
    assert found == {
        "issuer": issuer, "jwks_uri": f"{issuer}/.well-known/jwks.json", "authorization_endpoint": issuer + speaker.login,
        "response_types_supported": ["none"], "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"]}
    # the issuer is the default dialect's mount: the quick start's name for it is its own
    assert nginx.get(issuer.removeprefix("http://localhost") + "/.well-known/openid-configuration").json["issuer"] == issuer
    keys = jwt.PyJWKSet.from_dict(nginx.get(found["jwks_uri"].removeprefix("http://localhost")).json)
    key = keys[jwt.get_unverified_header(access)["kid"]].key
    assert jwt.decode(access, key, algorithms=found["id_token_signing_alg_values_supported"], issuer=issuer, audience=issuer)
    head = speaker.call("HEAD", "/.well-known/openid-configuration")
    assert (head.status, head.body) == (200, b"")


def test_every_key_that_verifies_is_announced(make, address):
    """While keys are rotated to another algorithm, tokens of both verify by what is found."""
    service, web = make()
    email = address()
    register(web, email)
    before = log_in(web, email).json["access_token"]
    service.settings["tokens.algorithm"] = "RS256"
    service.write()
    service.command("keys", "new", check=True)
    service.stop()
    service.start()
    found = web.get("/api/auth/.well-known/openid-configuration").json
    assert found["id_token_signing_alg_values_supported"] == ["RS256", "ES256"]
    keys = jwt.PyJWKSet.from_dict(web.get("/api/auth/.well-known/jwks.json").json)
    for token in (before, log_in(web, email).json["access_token"]):
        key = keys[jwt.get_unverified_header(token)["kid"]].key
        jwt.decode(token, key, algorithms=found["id_token_signing_alg_values_supported"], issuer=ISSUER, audience=ISSUER)
        assert web.get("/api/auth/me", token=token).status == 200
