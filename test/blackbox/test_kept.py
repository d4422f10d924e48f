# SPDX-License-Identifier: MIT
"""Connections that the web server keeps."""
import json
import os
import signal
import socket
import time

import pytest

from harness import answer_of, fastcgi_octets, wait_until

PASSWORD = "password123"


class Kept:
    """A connection of our own that stays open between requests."""

    def __init__(self, service, timeout=20):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout)
        self.socket.connect(service.socket)

    def send(self, method, path, body=None, token=None, **more):
        octets = json.dumps(body).encode() if body is not None else b""
        headers = {"HTTP_AUTHORIZATION": f"Bearer {token}"} if token else {}
        self.socket.sendall(fastcgi_octets(path, method, octets, **{"keep": True, **headers, **more}))

    def request(self, *arguments, **more):
        self.send(*arguments, **more)
        return answer_of(self.socket)

    def is_closed(self):
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:  # what was sent last has not been read
            return True

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


def people(service, count):
    """E-mail addresses and tokens of so many."""
    found = []
    with Kept(service) as peer:
        for i in range(count):
            email = f"kept{i}-{time.time_ns()}@example.com"
            status, _ = peer.request("POST", "/register", {"email": email, "password": PASSWORD, "full_name": "J"})
            assert status == 201
            status, tokens = peer.request("POST", "/login", {"email": email, "password": PASSWORD})
            assert status == 200
            found.append((email, tokens))
    return found


def test_requests_follow_each_other_on_one_connection(service):
    """Those that cost a hash are answered elsewhere; the connection comes back from there."""
    (email, _), = people(service, 1)
    with Kept(service) as peer:
        for _ in range(3):
            assert peer.request("GET", "/health")[0] == 200
            status, tokens = peer.request("POST", "/login", {"email": email, "password": PASSWORD})
            assert status == 200
            assert peer.request("GET", "/me", token=tokens["access_token"])[1]["email"] == email
            assert peer.request("POST", "/login", {"email": email, "password": "wrong password"})[0] == 401
            assert peer.request("GET", "/nowhere")[0] == 404


def test_who_does_not_ask_is_not_kept(service):
    with Kept(service) as peer:
        assert peer.request("GET", "/health", keep=False)[0] == 200
        assert peer.is_closed()
    with Kept(service) as peer:
        assert peer.request("GET", "/health")[0] == 200
        assert peer.request("GET", "/health", keep=False)[0] == 200
        assert peer.is_closed()


@pytest.mark.parametrize("length, status", [("2", 400), ("70000", 413), ("x", 400)])
def test_what_is_left_of_a_body_is_no_request(service, length, status):
    """A body that is itself a request, under a length that ends before it or is refused before it is read."""
    with Kept(service) as peer:
        body = b"{}" + fastcgi_octets("/health", keep=True) * 40
        peer.socket.sendall(fastcgi_octets("/login", "POST", body, keep=True, CONTENT_LENGTH=length))
        assert answer_of(peer.socket)[0] == status
        assert peer.is_closed()


def test_two_requests_at_once_are_not_mixed_up(service):
    """The second may be lost with the connection, but never answered in the first one's name."""
    (email, tokens), = people(service, 1)
    first = fastcgi_octets("/me", keep=True, HTTP_AUTHORIZATION="Bearer " + tokens["access_token"])
    with Kept(service, timeout=3) as peer:
        peer.socket.sendall(first + fastcgi_octets("/me", keep=True))
        assert answer_of(peer.socket)[1]["email"] == email
        try:
            assert answer_of(peer.socket)[0] == 401
        except (ConnectionError, TimeoutError):
            pass


def test_garbage_between_requests(service):
    with Kept(service) as peer:
        assert peer.request("GET", "/health")[0] == 200
        peer.socket.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert peer.is_closed()


def test_kept_connections_sit_and_starve_nobody(make):
    """Three times as many as workers, silent for longer than a new connection may be."""
    service, web = make(http__workers=2)
    peers = [Kept(service) for _ in range(60)]
    for peer in peers:
        assert peer.request("GET", "/health")[0] == 200
    until = time.monotonic() + 7
    while time.monotonic() < until:
        assert web.get("/api/auth/health").status == 200
    for peer in peers:
        assert peer.request("GET", "/health")[0] == 200
        peer.socket.close()


def test_a_request_that_stops_halfway_on_a_kept_connection_is_shown_out(service):
    with Kept(service) as peer:
        assert peer.request("GET", "/health")[0] == 200
        peer.socket.sendall(fastcgi_octets("/health", keep=True)[:30])
        started = time.monotonic()
        assert peer.is_closed() and 3 < time.monotonic() - started < 9


def test_a_reload_hands_kept_connections_on(make):
    service, _ = make()
    peers = [Kept(service) for _ in range(20)]
    for _ in range(3):
        for peer in peers:
            assert peer.request("GET", "/health")[0] == 200
        before = service.children()
        os.kill(service.process.pid, signal.SIGHUP)
        wait_until(lambda: not set(before) & set(service.children()))
    for peer in peers:
        assert peer.request("GET", "/health")[0] == 200
    service.stop()
    assert all(peer.is_closed() for peer in peers)


def test_a_killed_worker_takes_only_its_own_along(make):
    service, web = make(http__workers=2)
    peers = [Kept(service) for _ in range(20)]
    for peer in peers:
        assert peer.request("GET", "/health")[0] == 200
    os.kill(service.children()[0], signal.SIGKILL)
    time.sleep(1.5)
    assert all(web.get("/api/auth/health").status == 200 for _ in range(20))
    alive = [peer for peer in peers if not lost(peer)]
    assert all(peer.request("GET", "/health")[0] == 200 for peer in alive)
    for peer in peers:
        peer.socket.close()


def lost(peer):
    peer.socket.setblocking(False)
    try:
        return peer.is_closed()
    except BlockingIOError:
        return False
    finally:
        peer.socket.settimeout(20)
