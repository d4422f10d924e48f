# SPDX-License-Identifier: MIT
"""What web servers write about requests whose path holds a one-time token, above all when the service
does not answer."""
import os
import shutil
import socket
import threading
import types

import pytest

from harness import AS_ROOT, Apache, Nginx, folder

TOKEN = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFG"
PATHS = ["verify/{}", "verify/{}/", "%76erify/{}", "password-reset/{}", "reset-password/{}/", "change-email/{}",
         "change-email/undo/{}", "verify/{}%0A", "verify/{}/%0Ax", "verify/%0A{}", "%0A/verify/{}"]


def nobody(path):
    """The service is stopped: there is no socket."""


def deaf(path):
    """The service was killed: there is a socket and nobody listens."""
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(path)


def rude(path, words=b""):
    """A service that closes connections without an answer, or after words that are no FastCGI."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(64)

    def serve():
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            with peer:
                peer.recv(65536)
                peer.sendall(words)
    threading.Thread(target=serve, daemon=True).start()
    return listener


def garbled(path):
    return rude(path, b"HTTP/1.1 200 OK\r\n\r\n")


def mute(path):
    """A service that hangs: the kernel takes the connections, and nobody reads."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(64)
    return listener


@pytest.fixture
def backend(request):
    place = folder()
    path = str(place / "sock")
    listener = request.param(path)
    if AS_ROOT and os.path.exists(path):
        shutil.chown(path, "www-data")
    yield types.SimpleNamespace(socket=path, dir=place)
    if listener:
        listener.close()
    shutil.rmtree(place)


def shown(web, kind):
    """The logs that show the token; fails if they show nothing at all."""
    logs = {path.name: path.read_text() for path in web.dir.glob("*") if path.is_file()}
    assert logs["error.log"] and "/me" in web.access_log()
    if kind is Nginx:  # what has no token is told in full
        assert '"GET /api/auth/me HTTP/1.1"' in logs["error.log"]
    return [name for name, text in logs.items() if TOKEN in text]


@pytest.mark.parametrize("kind", [Nginx, Apache])
@pytest.mark.parametrize("backend", [nobody, deaf, rude, garbled], indirect=True, ids=lambda backend: backend.__name__)
def test_no_log_shows_a_token_when_the_service_is_down(backend, kind):
    web = kind(backend)
    try:
        assert web.get("/api/auth/me").status in (502, 503)
        for mount in ("/api/auth/", "/auth/"):
            for path in PATHS:
                for method, body in (("GET", None), ("POST", {}), ("POST", {"new_password": "x" * 100000})):
                    assert web.request(method, mount + path.format(TOKEN), body).status in (502, 503)
        assert shown(web, kind) == []
    finally:
        web.close()


@pytest.mark.parametrize("kind", [Nginx, Apache])
@pytest.mark.parametrize("backend", [mute], indirect=True, ids=lambda backend: backend.__name__)
def test_no_log_shows_a_token_when_the_service_hangs(backend, kind):
    class Impatient(kind):
        def example(self, *arguments):
            text = super().example(*arguments)
            assert "fastcgi_read_timeout 10s" in text or " timeout=10 " in text
            return text.replace("fastcgi_read_timeout 10s", "fastcgi_read_timeout 1s").replace(" timeout=10 ", " timeout=1 ")
    web = Impatient(backend)
    try:
        for path in ("me", f"verify/{TOKEN}"):
            assert web.get(f"/api/auth/{path}").status in (502, 503, 504)
        assert shown(web, kind) == []
    finally:
        web.close()
