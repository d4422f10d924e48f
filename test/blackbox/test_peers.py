# SPDX-License-Identifier: MIT
"""What a peer of the FastCGI socket may do wrong: send no records that belong there, stop, drip, or never read."""
import os
import random
import socket
import struct
import subprocess
import time
from pathlib import Path

import pytest

from harness import answer_of, fastcgi_octets, wait_until
from test_kept import Kept

BEGIN = struct.pack("!BBHHBB", 1, 1, 1, 8, 0, 0) + struct.pack("!HB5x", 1, 1)


def record(kind, content=b"", request=1):
    return struct.pack("!BBHHBB", 1, kind, request, len(content), 0, 0) + content


def values(*names):
    """FCGI_GET_VALUES: libfcgi answers it into 64 octets of its stack."""
    return record(9, b"".join(struct.pack("!BB", len(name), 0) + name for name in names), request=0)


REFUSED = {
    "values": values(b"FCGI_MAX_CONNS"),
    "values again and again": values(*[b"FCGI_MAX_CONNS"] * 8),
    "values instead of parameters": BEGIN + values(*[b"FCGI_MPXS_CONNS"] * 8),
    "values among parameters": BEGIN + record(4, b"\x01\x01AB") + values(*[b"FCGI_MAX_REQS"] * 8),
    "values in a body": fastcgi_octets("/health", finish=False) + values(*[b"FCGI_MAX_CONNS"] * 8),
    "unknown management": record(77, b"x" * 8, request=0),
    "unknown type": BEGIN + record(77, b"x"),
    "lengths that overflow": BEGIN + record(4, struct.pack("!II", 0xfffffffe, 0xfffffffe)),
    "a value of two gigabytes": BEGIN + record(4, struct.pack("!BI", 1, 0xffffffff) + b"A"),
    "parameters without end": BEGIN + record(4, b"\x01\x80\x01\xf0\x00N" + b"v" * 60000) * 40,
    "a thousand and one": BEGIN + record(4, b"\0\0" * 1001),
    "no beginning": record(4, b"\x01\x01AB"),
    "body before parameters": BEGIN + record(5, b"{}"),
    "two beginnings": BEGIN + BEGIN,
    "another request's parameters": BEGIN + record(4, b"\x01\x01AB", request=2),
    "request zero": record(1, b"\0\1\1" + b"\0" * 5, request=0),
    "half a pair": BEGIN + record(4, b"\x05\x05half") + record(4),
    "version two": b"\x02" + BEGIN[1:],
    "another protocol": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "given up at the beginning": BEGIN + record(2),
    "given up in the body": fastcgi_octets("/register", "POST", b"{", finish=False) + record(2),
}


def connected(service, timeout=15):
    peer = socket.socket(socket.AF_UNIX)
    peer.settimeout(timeout)
    peer.connect(service.socket)
    return peer


def received(peer):
    """Everything until the connection ends."""
    octets = b""
    try:
        while more := peer.recv(65536):
            octets += more
    except ConnectionResetError:
        pass
    return octets


@pytest.mark.parametrize("octets", REFUSED.values(), ids=REFUSED.keys())
def test_refused_without_an_answer_and_without_harm(service, octets):
    """Whole, and octet by octet as far as that makes a difference."""
    children = service.children()
    for piece in (len(octets), 7, 1) if len(octets) < 5000 else (len(octets), 4999):
        with connected(service) as peer:
            started = time.monotonic()
            try:
                for at in range(0, len(octets), piece):
                    peer.sendall(octets[at:at + piece])
                    if at == 0 and piece == 1:
                        time.sleep(0.01)
            except (BrokenPipeError, ConnectionResetError):
                pass
            assert b"Status: 200" not in received(peer) and time.monotonic() - started < 3
    with Kept(service) as peer:
        assert peer.request("GET", "/health")[0] == 200
    assert set(children) <= set(service.children())


def test_random_octets_do_no_harm(service):
    children = service.children()
    chance = random.Random(5)
    good = fastcgi_octets("/login", "POST", b'{"username":"a","password":"b"}', keep=True)
    for _ in range(400):
        octets = bytearray(good)
        for _ in range(chance.randint(1, 4)):
            octets[chance.randrange(len(octets))] = chance.randrange(256)
        with connected(service) as peer:
            peer.sendall(octets)
            peer.shutdown(socket.SHUT_WR)
            received(peer)
    assert set(children) <= set(service.children())


@pytest.mark.parametrize("role, reason", [(2, 400), (3, 400)])
def test_other_roles_are_answered_and_their_bodies_not_waited_for(service, role, reason):
    octets = fastcgi_octets("/health", finish=False, keep=True)
    octets = octets[:8] + struct.pack("!HB5x", role, 1) + octets[16:]
    with connected(service) as peer:
        peer.sendall(octets)
        started = time.monotonic()
        status, body = answer_of(peer)
        assert (status, body["code"]) == (reason, "bad_request") and "responder" in str(body)
        assert time.monotonic() - started < 1 and received(peer) == b""


def test_an_unknown_role_gets_no_answer(service):
    octets = fastcgi_octets("/health")
    with connected(service) as peer:
        peer.sendall(octets[:8] + struct.pack("!HB5x", 9, 1) + octets[16:])
        assert b"Status" not in received(peer)


def test_every_cut_of_a_request_is_put_together(service):
    octets = fastcgi_octets("/login", "POST", b'{"username":"nobody@example.com"}', keep=True)
    with Kept(service) as peer:
        for cut in range(1, len(octets)):
            peer.socket.sendall(octets[:cut])
            if cut % 8 == 0:
                time.sleep(0.002)
            peer.socket.sendall(octets[cut:])
            assert answer_of(peer.socket)[0] == 400


def test_every_cut_of_a_request_that_ends_there_leaves_nothing(make):
    """The peer goes away in the middle of a registration."""
    service, _ = make(http__workers=1)
    octets = fastcgi_octets("/register", "POST", b'{"email":"cut@example.com","password":"correct horse 77","full_name":"J"}')
    for cut in range(len(octets) - 8):
        with connected(service) as peer:
            peer.sendall(octets[:cut])
    with Kept(service) as peer:
        assert peer.request("GET", "/health")[0] == 200
    assert service.query("SELECT count(*) FROM users") == [(0,)]


def test_what_comes_behind_a_request_ends_the_connection(service):
    """No web server sends a second request before it has the first one's answer."""
    with Kept(service) as peer:
        peer.socket.sendall(fastcgi_octets("/health", keep=True) * 2)
        assert answer_of(peer.socket)[0] == 200
        assert received(peer.socket) == b""


def test_fifty_that_stop_in_a_body_delay_nobody(make):
    """45 KB each: more than a socket holds at once would have been taken for a whole request."""
    service, web = make(http__workers=1)
    body = b'{"username":"' + b"x" * 60000
    octets = fastcgi_octets("/login", "POST", body, finish=False, CONTENT_LENGTH="65000")[:45000]
    peers = [connected(service) for _ in range(50)]
    for peer in peers:
        peer.sendall(octets)
    slowest = 0
    for _ in range(50):
        started = time.monotonic()
        assert web.get("/api/auth/health").status == 200
        slowest = max(slowest, time.monotonic() - started)
    assert slowest < 2
    for peer in peers:
        peer.close()


def test_a_peer_that_drips_has_http_timeout(make):
    service, _ = make(http__workers=1, http__timeout="2s")
    octets = fastcgi_octets("/health", HTTP_COOKIE="x" * 100)
    with connected(service) as peer:
        started = time.monotonic()
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            for octet in octets:
                peer.sendall(bytes([octet]))
                time.sleep(0.03)
        assert 1.5 < time.monotonic() - started < 5


def test_peers_that_never_read_delay_nobody(make):
    """The answer is more than their sockets hold; it waits for http.timeout, and its worker does not."""
    service, web = make(http__workers=1, http__timeout="2s")
    peers = [connected(service) for _ in range(20)]
    for peer in peers:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        for _ in range(60):
            peer.sendall(fastcgi_octets("/openapi.json", keep=True)[:0])
        peer.sendall(fastcgi_octets("/openapi.json", keep=True))
    for _ in range(20):
        started = time.monotonic()
        assert web.get("/api/auth/health").status == 200
        assert time.monotonic() - started < 2
    for peer in peers:
        peer.close()


@pytest.mark.skipif(os.environ.get("LATCHKEY_TEST_SANITIZE") == "1",
                    reason="AddressSanitizer keeps what was freed for a while, and counts as the service's")
def test_idle_connections_cost_next_to_nothing(make):
    service, web = make(http__workers=2)

    def resident():
        """Private memory: what the processes share is there once, however many connections there are."""
        pages = 0
        for child in service.children("worker"):
            size, shared = Path(f"/proc/{child}/statm").read_text().split()[1:3]
            pages += int(size) - int(shared)
        return pages * os.sysconf("SC_PAGESIZE") / 2**20
    for _ in range(40):
        assert web.get("/api/auth/health").status == 200
    before = resident()
    peers = [Kept(service) for _ in range(400)]
    for peer in peers:
        assert peer.request("GET", "/health")[0] == 200
    assert resident() - before < 4
    for peer in peers:
        assert peer.request("GET", "/health")[0] == 200
        peer.socket.close()


def test_kept_connections_are_shared_out(make):
    """Fewer than half of them at any of four workers."""
    service, _ = make(http__workers=4)

    def held(child):
        links = (os.readlink(f"/proc/{child}/fd/{name}") for name in os.listdir(f"/proc/{child}/fd"))
        return sum(link.startswith("socket:") for link in links)
    with Kept(service) as peer:
        assert peer.request("GET", "/health")[0] == 200
    before = {child: held(child) for child in service.children("worker")}
    peers = []
    for _ in range(40):
        peers.append(Kept(service))
        assert peers[-1].request("GET", "/health")[0] == 200
    assert max(held(child) - before[child] for child in before) <= 20
    for peer in peers:
        peer.socket.close()


def test_few_descriptors_are_enough(make):
    """Idle connections make room for new ones, and where none is idle new ones wait."""
    service, web = make(http__workers=1)
    service.stop()
    service.process = subprocess.Popen(["prlimit", "--nofile=64:64", *service.argv("serve")], env=service.environment,
                                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_until(lambda: service.alive() and os.path.exists(service.socket) and len(service.children()) >= 3)
    peers = []
    for _ in range(100):
        peers.append(Kept(service))
        assert peers[-1].request("GET", "/health")[0] == 200
    assert web.get("/api/auth/health").status == 200
    for peer in peers:
        peer.socket.close()
    slow = [connected(service) for _ in range(60)]
    for peer in slow:
        peer.sendall(fastcgi_octets("/health")[:30])
    assert web.get("/api/auth/health", timeout=20).status == 200
    for peer in slow:
        peer.close()
    assert not service.log_contains("child_died")
