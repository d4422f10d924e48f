# SPDX-License-Identifier: MIT
"""Connections that the web server keeps, and several requests under way in one worker."""
import json
import os
import signal
import socket
import threading
import time

import psycopg2
import pytest

from harness import answer_of, fastcgi_octets, is_read, wait_until

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


def test_an_answer_of_the_connection_before_ends_no_new_one(make):
    """Three answers come at once: two that say that the server takes no writes, which ends the connection, and one
    between them whose request goes on, over a new connection."""
    service, _ = make(http__workers=1, sessions__rotate="auto")
    service.expect("statement_failed", None, "sqlstate=25006")
    tokens = people(service, 1)[0][1]["refresh_token"]
    service.query("UPDATE sessions SET last_used_at = now() - interval '1 day'")
    service.query(f"ALTER DATABASE {service.database} SET default_transaction_read_only = on")
    service.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
    peers = [Kept(service) for _ in range(3)]
    wait_until(lambda: peers[0].request("POST", "/login", {"username": "nobody", "password": PASSWORD})[0] == 401)
    worker, = service.children("worker")
    holder = psycopg2.connect(service.cluster.url(service.database), options="-c default_transaction_read_only=off")
    holder.cursor().execute("LOCK TABLE users IN ACCESS EXCLUSIVE MODE")
    for peer, rotates in zip(peers, (True, False, True)):
        if rotates:
            peer.send("POST", "/refresh", LATCHKEY_DIALECT="cookie", HTTP_COOKIE="refresh_token=" + tokens)
        else:
            peer.send("POST", "/refresh", {"refresh_token": tokens})
        wait_until(lambda: is_read(peer.socket))
        time.sleep(0.1)
    os.kill(worker, signal.SIGSTOP)
    try:
        holder.close()
        waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' OR state = 'active' AND pid <> pg_backend_pid()"
        wait_until(lambda: service.query(waits) == [(0,)])
        time.sleep(0.2)
    finally:
        os.kill(worker, signal.SIGCONT)
    assert [answer_of(peer.socket)[0] for peer in peers] == [503] * 3
    assert not service.log_contains("database_away connecting")


@pytest.fixture
def locked():
    """locked(service, table): nobody gets at the table's rows until the function that comes back is called."""
    holders = []

    def lock(service, table):
        holder = psycopg2.connect(service.cluster.url(service.database))
        holders.append(holder)
        holder.cursor().execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        return holder.close

    yield lock
    for holder in holders:
        holder.close()


def test_requests_follow_each_other_on_one_connection(service):
    """Those that cost a hash and those that do not."""
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


def test_garbage_between_requests(service):
    with Kept(service) as peer:
        assert peer.request("GET", "/health")[0] == 200
        peer.socket.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert peer.is_closed()


def test_idle_connections_starve_nobody(make):
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


def test_a_request_that_stops_halfway_ends_a_kept_connection(service):
    with Kept(service) as peer:
        assert peer.request("GET", "/health")[0] == 200
        peer.socket.sendall(fastcgi_octets("/health", keep=True)[:30])
        started = time.monotonic()
        assert peer.is_closed() and time.monotonic() - started > 3


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


def test_each_hears_what_is_meant_for_it(make):
    """Many at once in one worker, among them statements that fail."""
    service, _ = make(http__workers=1)
    accounts = people(service, 12)
    service.query("ALTER FUNCTION rate_limits_take RENAME TO elsewhere")  # forgot fails now, and nothing else
    service.expect("statement_failed", None, "statement=mail_request ")
    wrong = []

    def insist(email, tokens):
        with Kept(service) as peer:
            for i in range(60):
                me = peer.request("GET", "/me", token=tokens["access_token"])
                refreshed = peer.request("POST", "/refresh", {"refresh_token": tokens["refresh_token"]})
                again = peer.request("GET", "/me", token=refreshed[1].get("access_token", "none"))
                failed = peer.request("POST", "/password-reset", {"email": email}) if i % 5 == 0 else (503, None)
                if (me[0], me[1].get("email"), refreshed[0], again[1].get("email")) != (200, email, 200, email):
                    wrong.append((me, refreshed, again))
                if failed[0] < 500:
                    wrong.append(failed)
    threads = [threading.Thread(target=insist, args=account) for account in accounts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong, wrong[:3]
    assert service.log_contains("statement_failed")


def test_who_needs_no_database_waits_for_nobody(make, locked):
    service, _ = make(http__workers=1, database__timeout="6s")
    accounts = people(service, 4)
    peers = [Kept(service) for _ in accounts]
    release = locked(service, "sessions")
    for peer, (_, tokens) in zip(peers, accounts):
        peer.send("GET", "/me", token=tokens["access_token"])
    with Kept(service, timeout=2) as other:
        for _ in range(20):
            assert other.request("GET", "/me")[0] == 401
    release()
    for peer, (email, _) in zip(peers, accounts):
        assert answer_of(peer.socket)[1]["email"] == email
        peer.socket.close()


def test_fifty_wait_for_the_database_at_once(make, locked):
    service, _ = make(http__workers=1, database__timeout="6s")
    (email, tokens), = people(service, 1)
    release = locked(service, "sessions")
    peers = [Kept(service) for _ in range(50)]
    for peer in peers:
        peer.send("GET", "/me", token=tokens["access_token"])
    time.sleep(1)
    release()
    for peer in peers:
        assert answer_of(peer.socket)[1]["email"] == email
        peer.socket.close()


def test_a_database_that_does_not_answer_is_not_waited_for(make, locked):
    service, _ = make(http__workers=1, database__timeout="1s")
    (email, tokens), = people(service, 1)
    release = locked(service, "sessions")
    peers = [Kept(service) for _ in range(10)]
    started = time.monotonic()
    for peer in peers:
        peer.send("GET", "/me", token=tokens["access_token"])
    assert [answer_of(peer.socket)[0] for peer in peers] == [503] * 10
    assert 0.8 < time.monotonic() - started < 8  # one time-out, not one after the other
    release()
    wait_until(lambda: peers[0].request("GET", "/me", token=tokens["access_token"])[0] == 200)
    for peer in peers:
        assert peer.request("GET", "/me", token=tokens["access_token"])[1]["email"] == email
        peer.socket.close()


def test_a_lost_connection_is_told_to_all_who_wait(make, locked):
    service, _ = make(http__workers=1, database__timeout="9s")
    (email, tokens), = people(service, 1)
    release = locked(service, "sessions")
    peers = [Kept(service) for _ in range(10)]
    for peer in peers:
        peer.send("GET", "/me", token=tokens["access_token"])
    wait_until(lambda: service.query("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")[0][0] > 0)
    started = time.monotonic()
    service.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    assert [answer_of(peer.socket)[0] for peer in peers] == [503] * 10
    assert time.monotonic() - started < 8  # database.timeout is 9 s
    release()
    wait_until(lambda: peers[0].request("GET", "/me", token=tokens["access_token"])[1].get("email") == email)
    for peer in peers:
        peer.socket.close()


def test_a_killed_worker_takes_only_its_own_along(make):
    service, web = make(http__workers=2)
    peers = [Kept(service) for _ in range(20)]
    for peer in peers:
        assert peer.request("GET", "/health")[0] == 200
    before = service.children("worker")
    service.kill(before[0])
    wait_until(lambda: len(set(service.children("worker")) - set(before)) == 1)
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
