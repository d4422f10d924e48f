# SPDX-License-Identifier: MIT
"""Requests that can be understood in two ways, or not at all: refused, and told so in the location's
dialect. Through the web servers, and over FastCGI itself where they would not pass them on."""
import http.client

import pytest

from harness import Answer, fastcgi, whole_answer_of
from test_dialects import SPELLINGS

LOGIN = b'{"username":"nobody@example.com","email":"nobody@example.com","password":"wrong password"}'


def send(web, method, path, *headers, body=None, host="localhost"):
    """Headers as pairs: a name may come twice."""
    connection = http.client.HTTPConnection("127.0.0.1", web.port, timeout=30)
    connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
    for name, value in (("Host", f"{host}:{web.port}"), *headers):
        connection.putheader(name, value)
    if body is not None:
        connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body)
    response = connection.getresponse()
    answer = Answer(response, response.read())
    connection.close()
    return answer


def ask(service, path, *arguments, **parameters):
    return whole_answer_of(fastcgi(service, path, *arguments, **parameters))


# ---- the same thing said twice

@pytest.mark.parametrize("name, values", [
    ("HTTP_AUTHORIZATION", ["Bearer a", "Bearer b"]), ("HTTP_COOKIE", ["refresh_token=a", "refresh_token=b"]),
    ("HTTP_ORIGIN", ["http://localhost", "https://evil.example"]), ("HTTP_HOST", ["localhost", "evil.example"]),
    ("HTTP_SEC_FETCH_SITE", ["same-origin", "cross-site"]), ("REMOTE_ADDR", ["127.0.0.1", "192.0.2.1"]),
    ("HTTPS", ["on", "off"]), ("SCRIPT_NAME", ["/api/auth", "/other"]), ("PATH_INFO", ["/health", "/me"]),
    ("REQUEST_METHOD", ["GET", "POST"]), ("CONTENT_LENGTH", ["0", "7"]), ("CONTENT_TYPE", ["application/json", "text/plain"]),
    ("LATCHKEY_DIALECT", ["bearer", "cookie"])])
def test_what_comes_twice_is_refused(service, name, values):
    for given in (values, values[::-1], values[:1] * 2):
        status, _, answer = ask(service, "/health", **{name: given})
        assert (status, answer["code"]) == (400, "bad_request") and name in answer["detail"]
    assert service.log_contains(f"unreadable_request client=.* {name} was sent more than once")


def test_headers_that_do_not_matter_may_come_twice(service):
    assert ask(service, "/health", HTTP_ACCEPT=["a", "b"], HTTP_X_FORWARDED_FOR=["a", "b"], QUERY_STRING=["a", "b"])[0] == 200


def test_two_cookie_headers(nginx):
    """nginx passes two lines as two parameters; of which one is the service to believe?"""
    cookies = (("Cookie", "refresh_token=a"), ("Cookie", "refresh_token=b"))
    answer = send(nginx, "POST", "/auth/refresh", *cookies, host="cookie.localhost")
    assert (answer.status, answer.json["code"]) == (400, "bad_request")


@pytest.mark.parametrize("values", [["Bearer a", "Bearer b"], ["Basic YTpi", "Bearer a"], ["Bearer a", ""], ["Bearer a, Bearer b"]])
def test_two_credentials(web, values):
    """nginx refuses two headers itself; Apache joins them."""
    for path in ("/me", "/health"):
        answer = send(web, "GET", "/api/auth" + path, *(("Authorization", v) for v in values))
        assert answer.status == 400 and (not answer.json or answer.json["code"] == "bad_request")


# ---- who the client is

def test_all_lines_of_forwarded_headers_count(make):
    service, web = make(limits__login="2/1m", http__trusted_proxies="127.0.0.1")
    lines = [("Content-Type", "application/json"), ("X-Forwarded-For", "192.0.2.{}"), ("X-Forwarded-For", "203.0.113.7")]
    answers = [send(web, "POST", "/api/auth/login", *[(k, v.format(n)) for k, v in lines], body=LOGIN).status for n in range(3)]
    assert answers == [401, 401, 429]  # the client chose the first line, the proxy wrote the last


def test_a_server_that_names_no_client(service):
    status, _, answer = ask(service, "/login", "POST", LOGIN, REMOTE_ADDR=None)
    assert (status, answer["code"]) == (401, "invalid_credentials")


# ---- in the location's dialect

UNREADABLE = {
    "line feed": dict(path="/a\nb"), "DEL": dict(path="/\x7f"), "not UTF-8": dict(path=b"/\xff"), "overlong": dict(path=b"/\xc0\x80"),
    "surrogate": dict(path=b"/\xed\xa0\x80"), "long cookie": dict(path="/health", HTTP_COOKIE="x" * 8193),
    "no length": dict(path="/health", CONTENT_LENGTH="seven"), "two lengths": dict(path="/health", CONTENT_LENGTH=["0", "1"]),
    "truncated": dict(path="/health", method="POST", body=b"{}", CONTENT_LENGTH="5"), "authorizer": dict(path="/health", role=2),
}


@pytest.mark.parametrize("request_", UNREADABLE.values(), ids=UNREADABLE.keys())
@pytest.mark.parametrize("dialect", SPELLINGS)
def test_unreadable_requests_are_answered_in_the_dialect(service, dialect, request_):
    if "body" in request_:
        request_ = {**request_, "path": SPELLINGS[dialect]["login"]}
    status, headers, answer = ask(service, LATCHKEY_DIALECT=dialect, **request_)
    assert (status, answer["code"]) == (400, "bad_request") and isinstance(answer[SPELLINGS[dialect]["error"]], str)
    assert set(answer) == {"code", SPELLINGS[dialect]["error"]}
    assert (headers["Content-Type"], headers["Cache-Control"]) == ("application/json", "no-store")


@pytest.mark.parametrize("path", ["/a%FFb", "/a%0Ab", "/me%0A"])
@pytest.mark.parametrize("dialect", SPELLINGS)
def test_unreadable_paths_through_web_servers(web, dialect, path):
    answer = send(web, "GET", SPELLINGS[dialect]["prefix"] + path, host=f"{dialect}.localhost")
    assert (answer.status, answer.json["code"]) == (400, "bad_request") and SPELLINGS[dialect]["error"] in answer.json


def test_the_answer_is_for_the_page_of_an_allowed_origin_too(make):
    service, web = make(http__origins="https://app.example.com")
    answer = web.get("/api/auth/a%FFb", headers={"Origin": "https://app.example.com"})
    assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (400, "https://app.example.com")


def test_a_kept_connection_goes_on_after_an_unreadable_request(service):
    from harness import fastcgi_octets
    peer = fastcgi(service, b"/\xff", "POST", LOGIN, keep=True)
    assert whole_answer_of(peer)[0] == 400
    peer.sendall(fastcgi_octets("/health", keep=True))
    assert whole_answer_of(peer)[0] == 200


# ---- lengths

@pytest.mark.parametrize("most", [1024, 262144])
def test_the_largest_body_is_as_set(make, most):
    service, web = make(http__max_body=most)

    def body(size):
        head = LOGIN[:-1] + b',"more":"'
        return head + b"x" * (size - len(head) - 2) + b'"}'
    for announced in (lambda size: str(size), lambda size: None):
        for size, expected in ((most, (401, "invalid_credentials")), (most + 1, (413, "body_too_large"))):
            status, _, answer = ask(service, "/login", "POST", body(size), CONTENT_LENGTH=announced(size))
            assert (status, answer["code"]) == expected
    answer = web.post("/api/auth/login", body(1025), headers={"Content-Type": "application/json"})
    assert answer.status == (413 if most == 1024 else 401)


def test_a_length_of_minus_one_is_an_unknown_length(service):
    """Caddy says so of a body in chunks."""
    status, _, answer = ask(service, "/login", "POST", LOGIN, CONTENT_LENGTH="-1")
    assert (status, answer["code"]) == (401, "invalid_credentials")
    status, _, answer = ask(service, "/login", "POST", b"x" * 65537, CONTENT_LENGTH="-1")
    assert (status, answer["code"]) == (413, "body_too_large")
