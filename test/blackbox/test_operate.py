# SPDX-License-Identifier: MIT
"""Things die, stop and change under the service."""
import json
import os
import signal
import socket
import statistics
import subprocess
import threading
import time

import pytest

from harness import BINARY, answer_of, fastcgi, fastcgi_octets, is_read, processor_time, wait_until


def register(web, email):
    return web.post("/api/auth/register", {"email": email, "password": "password123", "full_name": "J"})


class Load:
    """Requests one after the other in threads of their own, until it is left."""

    def __init__(self, request, threads=4):
        self.request, self.answers, self.stop = request, [], False
        self.threads = [threading.Thread(target=self.run) for _ in range(threads)]

    def run(self):
        while not self.stop:
            started = time.monotonic()
            answer = self.request()
            self.answers.append((answer.status, time.monotonic() - started))

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop = True
        for thread in self.threads:
            thread.join()


def test_killed_children_are_replaced(make, address):
    service, web = make()
    for _ in range(3):
        before = service.children()
        for child in before:
            service.kill(child)
        wait_until(lambda: len(set(service.children()) - set(before)) == len(before))
        email = address()
        assert register(web, email).status == 201
        service.token(email, "verify")


def test_a_killed_worker_loses_nothing_acknowledged(make, address):
    service, web = make()
    emails, taken = [address() for _ in range(200)], []
    rest = iter(emails)

    def one():
        email = next(rest, None)
        if email is None:
            time.sleep(0.05)
            return web.get("/api/auth/health")
        answer = register(web, email)
        if answer.status == 201:
            taken.append(email)
        return answer
    with Load(one):
        for _ in range(10):
            service.kill(wait_until(lambda: service.children("worker"))[0])
            time.sleep(0.15)
        wait_until(lambda: next(rest, None) is None, timeout=30)
    stored = {row[0] for row in service.query("SELECT email FROM users")}
    assert taken and set(taken) <= stored
    wait_until(lambda: service.query("SELECT count(*) FROM outbox") == [(0,)], timeout=20)
    # an account and its mail are there together
    assert service.query("SELECT count(*) FROM users u WHERE NOT EXISTS (SELECT FROM one_time_tokens t WHERE t.user_pk = u.pk)") == [(0,)]


def test_reload_refuses_nobody_and_takes_effect(make):
    service, web = make()
    with Load(lambda: web.get("/api/auth/health")) as load:
        for minimum in (9, 10, 11):
            service.settings["passwords.min_length"] = str(minimum)
            service.write()
            before = service.children()
            service.process.send_signal(signal.SIGHUP)
            wait_until(lambda: not set(before) & set(service.children()))
    assert {status for status, _ in load.answers} == {200} and len(load.answers) > 10
    answer = web.post("/api/auth/register", {"email": "a@example.com", "password": "0123456789", "full_name": "J"})
    assert answer.json["errors"] == {"password": ["Use at least 11 characters."]}


def test_the_socket_goes_after_many_reloads(make):
    """The settings that its path came from are long forgotten then, and others may be in their place."""
    service, _ = make()
    service.settings["http.listen"] = str(service.dir / "for-the-next-start")
    service.write()
    for _ in range(3):
        before = service.children()
        service.process.send_signal(signal.SIGHUP)
        wait_until(lambda: not set(before) & set(service.children()))
    service.process.terminate()
    assert service.process.wait(timeout=10) == 0 and not os.path.exists(service.socket)


def test_reload_with_wrong_settings_changes_nothing(make):
    service, web = make()
    service.settings["passwords.min_length"] = "none"
    service.write()
    before = service.children()
    service.process.send_signal(signal.SIGHUP)
    wait_until(lambda: service.log_contains(r"reload_failed .*latchkey.conf:\d+: passwords.min_length"))
    assert service.children() == before and web.get("/api/auth/health").status == 200


def test_a_burst_of_logins_waits_for_its_turn(make, address):
    service, web = make(passwords__memory="1024", passwords__slots="1")
    email = address()
    register(web, email)
    with Load(lambda: web.get("/api/auth/health"), threads=2) as load:
        answers = []

        def log_in():
            answers.append(web.post("/api/auth/login", {"username": email, "password": "password123"}))
        threads = [threading.Thread(target=log_in) for _ in range(30)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert [a.status for a in answers] == [200] * 30
    assert {status for status, _ in load.answers} == {200}


def test_a_flood_of_logins_is_refused_and_delays_nobody_else(make, address):
    """Who needs no hash waits for none: in the time of one, many of them are answered."""
    service, web = make(passwords__memory="131072", passwords__slots="1")
    email = address()
    register(web, email)

    def log_in():
        answer = web.post("/api/auth/login", {"username": email, "password": "password123"})
        if answer.status == 503:
            assert int(answer.headers["Retry-After"]) >= 1
            time.sleep(0.5)  # else refusing them is all that this machine does
        return answer

    def hashes():
        return sum(status == 200 for status, _ in flood.answers)
    with Load(log_in, threads=60) as flood:
        wait_until(lambda: any(status == 503 for status, _ in flood.answers))
        before, others = hashes(), 0
        while hashes() < before + 10:
            assert web.get("/api/auth/me").status == 401
            others += 1
    assert {status for status, _ in flood.answers} == {200, 503}
    assert others > 10 * 10


def log_ins(service, email, count):
    """So many that wait for a hash: connections whose answers are yet to come."""
    def is_hashing():
        return sum(map(processor_time, service.children("hasher"))) > before + 2_000_000
    before = sum(map(processor_time, wait_until(lambda: service.children("hasher"))))
    body = json.dumps({"username": email, "password": "password123"}).encode()
    peers = [fastcgi(service, "/login", "POST", body) for _ in range(count)]
    wait_until(lambda: all(map(is_read, peers)) and is_hashing(), step=0.002)
    return peers


def test_killed_hashers_take_nobody_along(make, address):
    """Others compute what they had in hand."""
    service, web = make(passwords__memory="65536", passwords__slots="2")
    email = address()
    register(web, email)
    for _ in range(5):
        peers = log_ins(service, email, 12)
        service.kill(service.children("hasher")[0])
        answers = [answer_of(peer)[0] for peer in peers]
        assert set(answers) <= {200, 503} and answers.count(200) > 1, answers
        wait_until(lambda: len(service.children("hasher")) == 2)


def test_term_answers_those_who_wait_for_a_hash(make, address):
    service, web = make(passwords__memory="65536", passwords__slots="1")
    email = address()
    register(web, email)
    peers = log_ins(service, email, 10)
    service.process.terminate()
    answers = [answer_of(peer)[0] for peer in peers]
    assert service.process.wait(timeout=30) == 0
    assert set(answers) <= {200, 503} and 200 in answers, answers


def test_memory_for_hashes_goes_when_they_stop(make, address):
    service, web = make(passwords__memory="65536", passwords__slots="1")

    def resident():
        return sum(int(line.split()[1]) for h in service.children("hasher")
                   for line in open(f"/proc/{h}/status") if line.startswith("VmRSS:"))
    before = wait_until(resident)
    with Load(lambda: register(web, address()), threads=1):
        wait_until(lambda: resident() > before + 60000)
    wait_until(lambda: resident() < before + 10000)


def test_term_hears_out_who_has_begun_to_speak(make):
    service, _ = make()
    data = fastcgi_octets("/health")
    peers = []
    for _ in range(8):
        peer = socket.socket(socket.AF_UNIX)
        peer.settimeout(5)
        peer.connect(service.socket)
        peer.sendall(data[:20])
        peers.append(peer)
    wait_until(lambda: all(map(is_read, peers)))
    service.process.terminate()
    time.sleep(0.3)  # what they do in the meantime would show
    for peer in peers:
        peer.sendall(data[20:])
    assert [answer_of(peer)[0] for peer in peers] == [200] * 8
    assert service.process.wait(timeout=30) == 0


def test_term_finishes_the_request_in_hand(make, address):
    service, web = make(passwords__memory="262144")  # a hash of some hundred milliseconds
    email = address()
    assert register(web, email).status == 201
    peer, = log_ins(service, email, 1)
    service.process.terminate()
    assert answer_of(peer)[0] == 200
    assert service.process.wait(timeout=30) == 0
    assert not os.path.exists(service.socket)


def test_database_away_and_back(make, address):
    from harness import Cluster, Nginx, Service
    if os.environ.get("LATCHKEY_TEST_DATABASE_URL"):
        pytest.skip("a given server is not ours to stop")
    cluster = Cluster()
    service = Service(cluster)
    web = Nginx(service)
    try:
        email = address()
        assert register(web, email).status == 201
        cluster.stop()
        times = []
        for _ in range(9):
            started = time.monotonic()
            answer = web.post("/api/auth/login", {"username": email, "password": "password123"})
            times.append(time.monotonic() - started)
            assert (answer.status, answer.json["code"]) == (503, "unavailable")
            assert int(answer.headers["Retry-After"]) >= 1
        assert statistics.median(times) < 3  # nobody waits for database.timeout
        assert web.get("/api/auth/health").status == 503
        cluster.start()
        wait_until(lambda: all(web.get("/api/auth/health").status == 200 for _ in range(12)))
        assert web.post("/api/auth/login", {"username": email, "password": "password123"}).status == 200
        other = address()
        assert register(web, other).status == 201
        service.token(other, "verify")
    finally:
        web.close()
        service.close()
        cluster.close()


def test_peers_that_stall_or_lie_keep_no_worker(make):
    """Who held one would hold it for seconds: then nearly nobody would be answered meanwhile."""
    service, web = make()
    stop = time.monotonic() + 12
    def silent(peer): pass
    def garbage(peer): peer.sendall(b"GET / HTTP/1.1\r\n\r\n" * 20)
    def half(peer): peer.sendall(b"\x01\x01\x00\x01\x00\x08\x00\x00\x00\x01\x00\x00")
    def half_body(peer): peer.sendall(b"\x01\x01\x00\x01\x00\x08\x00\x00" + b"\x00\x01" + b"\0" * 6 + b"\x01\x04\x00\x01\0\0\0\0\x01\x05\0\1\x10\0\0\0abc")

    def trouble(what):
        while time.monotonic() < stop:
            with socket.socket(socket.AF_UNIX) as peer:
                peer.settimeout(20)
                try:
                    peer.connect(service.socket)
                    what(peer)
                    peer.recv(1)
                except OSError:
                    time.sleep(0.05)
                time.sleep(0.05)
    threads = [threading.Thread(target=trouble, args=(kind,)) for kind in (silent, garbage, half, half_body) * 50]
    for thread in threads:
        thread.start()
    answers = []
    while time.monotonic() < stop:
        answers.append(web.get("/api/auth/health").status)
    for thread in threads:
        thread.join()
    assert set(answers) == {200} and len(answers) > 50


@pytest.mark.parametrize("length, body, expected", [
    ("5", b"{}", b"Status: 400"), ("2", b"{} trailing", b"Status: 400"), ("x", b"{}", b"Status: 400"),
    ("70000", b"{}", b"Status: 413"), ("", b"{}", b"invalid_input"), ("-1", b"{}", b"invalid_input"), ("-2", b"{}", b"bad_request")])
def test_content_length_that_lies(service, length, body, expected):
    assert expected in fastcgi(service, "/login", "POST", body, CONTENT_LENGTH=length).recv(65536)


@pytest.mark.parametrize("role", [0, 2, 3, 9])
def test_other_roles_are_refused(service, address, role):
    """Authorizer and filter hear so, what is none hears nothing, and nothing is done for them."""
    email = address()
    body = json.dumps({"email": email, "password": "password123", "full_name": "J"}).encode()
    peer = fastcgi(service, "/register", "POST", body, role=role)
    if role in (2, 3):
        status, answer = answer_of(peer)
        assert (status, answer["code"]) == (400, "bad_request")
    else:
        with pytest.raises(ConnectionError):
            answer_of(peer)
    assert service.query("SELECT count(*) FROM users WHERE email = %s", email) == [(0,)]
    assert answer_of(fastcgi(service, "/register", "POST", body, role=1))[0] == 201


def test_started_by_a_web_server(make, service):
    """The socket on fd 0, as spawn-fcgi passes it, and one process without a supervisor."""
    path = str(service.dir / "inherited")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(16)
    arguments = [str(BINARY), "-o", "http.workers=0", "--config", str(service.dir / "latchkey.conf")]
    process = subprocess.Popen(arguments, stdin=listener.fileno(), env=service.environment)
    listener.close()
    try:
        with socket.socket(socket.AF_UNIX) as peer:
            peer.settimeout(10)
            peer.connect(path)
        inherited = type("Inherited", (), {"socket": path})
        assert b'"status":"ok"' in fastcgi(inherited, "/health").recv(65536)
        started = time.monotonic()
        process.terminate()
        assert process.wait(timeout=5) == 0 and time.monotonic() - started < 3
    finally:
        process.kill()


@pytest.mark.parametrize("arguments, words", [
    (["serve", "-o", "http.workers=many"], ["http.workers", "0 to 512"]),
    (["serve", "-o", "passwords.lenght=9"], ["unknown key passwords.lenght"]),
    (["serve", "-o", "api.dialect=klingon"], ["api.dialect", "klingon"]),
    (["serve", "-o", "api.base_url="], ["api.base_url is not set"]),
    (["serve", "-o", "http.listen=0.0.0.0:9000"], ["reached from outside"]),
    (["serve", "-o", "tokens.keys=/nowhere"], ["tokens.keys", "latchkey keys new"]),
    (["serve", "-o", "mail.from=nobody"], ["mail.from"]),
    (["serve", "-o", "nonsense"], ["section.key=value"]),
    (["serve", "-o", "links.reset=https://example.com/"], ["links.reset", "{token}"]),
    (["serve", "-o", "http.origins=example.com"], ["http.origins"]),
    (["serve", "-o", "http.origins=https://example.com?x"], ["http.origins"]),
    (["serve", "-o", "tokens.access_ttl=-0s"], ["tokens.access_ttl"]),
    (["serve", "-o", "http.trusted_proxies=10.0.0.0/33"], ["http.trusted_proxies"]),
    (["serve", "--nonsense"], ["--nonsense"]), (["nonsense"], ["nonsense"])])
def test_what_is_wrong_is_said(service, arguments, words):
    run = service.command(*arguments)
    assert run.returncode not in (0, 1) and all(word in run.stderr for word in words), run


BAD_LINES = ["api.base_url = ftp://example.com", "api.base_url = https://example.com/?a", "api.base_url =", "api.dialect = klingon",
             "database.url = nonsense", "http.listen = 0.0.0.0:9000", "http.origins = example.com", "http.trusted_proxies = 10.0.0.0/33",
             "http.socket_mode = 999", "links.reset = https://example.com/", "links.verify = javascript:{token}", "log.target = /nowhere/log",
             "mail.directory =", "mail.from = nobody", "mail.templates = /nowhere", "passwords.blocklist = /nowhere",
             "process.user = nobody-at-all", "tokens.access_ttl = 2d", "tokens.keys = /nowhere"]


@pytest.mark.parametrize("line", BAD_LINES)
def test_what_is_wrong_is_said_with_its_line(service, line):
    """Also where a value can be read, and turns out to be wrong later."""
    name, value = (part.strip() for part in line.split("=", 1))
    others = {**service.settings, "http.listen": service.socket + "-other"}
    others.pop(name, None)
    text = "; wrong:\n" + "".join(f"[{n.split('.')[0]}]\n{n.split('.')[1]} = {v}\n" for n, v in [(name, value), *others.items()])
    path = service.dir / "wrong.conf"
    path.write_text(text)
    run = subprocess.run([*service.argv("serve")[:-1], str(path)], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert (run.returncode, run.stderr.startswith(f"latchkey: {path}:3: {name}")) == (78, True), run
    run = service.command("serve", *(["-o", f"http.listen={others['http.listen']}"] if name != "http.listen" else []), "-o", f"{name}={value}")
    assert (run.returncode, run.stderr.startswith(f"latchkey: -o {name}: {name}")) == (78, True), run


@pytest.mark.parametrize("arguments", [[c, *words, h] for c, words in (("serve", []), ("migrate", []), ("keys", ["new"]), ("config", []),
                                                                          ("openapi", [])) for h in ("--help", "-h")]
                         + [["help", "keys"], ["serve", "--config", "/nowhere", "--help"]])
def test_every_command_says_how_it_is_called(arguments):
    run = subprocess.run([str(BINARY), *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    name = arguments[1] if arguments[0] == "help" else arguments[0]
    assert (run.returncode, run.stderr) == (0, "") and run.stdout.startswith(f"usage: latchkey {name}")
    assert "-o SECTION.KEY=VALUE" in run.stdout and len(run.stdout.splitlines()) > 6


@pytest.mark.parametrize("command", ["config", "migrate", "serve"])
@pytest.mark.parametrize("url", [
    "postgresql://me@localhost:1/x?password=hunter2", "host=localhost port=1 password = 'hunter2'", "postgresql://me:1@hunter2@h/x",
    "postgresql://localhost:1/x?sslpassword=hunter2", "postgresql://me:hunter2@h/x?hunter2", "postgresql://me:1/hunter2@h"])
def test_no_command_shows_the_password_of_the_database(service, command, url):
    run = service.command(command, "-o", f"database.url={url}", "-o", "mail.url=smtp://me:hunt@hunter2@localhost")
    assert "hunter2" not in run.stdout + run.stderr and "hunter2" not in service.log()
    assert run.returncode == 0 and "***" in run.stdout if command == "config" and "me:" not in url else run.returncode != 0


def test_a_second_service_on_the_same_socket_is_refused(service):
    run = service.command("serve")
    assert run.returncode == 78 and "refusing to start" in run.stderr


def test_what_has_expired_goes_and_nothing_else(make, address):
    """More than one batch in each table, half of it with a time to live."""
    service, web = make(events__retention="30d")
    email = address()
    assert register(web, email).status == 201
    service.token(email, "verify")
    service.stop()
    ages = "now() + (CASE WHEN mod(n, 2) = 0 THEN 1 ELSE -1 END) * interval '1 day' - n * interval '1 microsecond'"
    service.query(f"""
        INSERT INTO sessions (user_pk, id, expires_at) SELECT pk, gen_random_uuid(), {ages} FROM users, generate_series(1, 240) n;
        INSERT INTO one_time_tokens (digest, user_pk, purpose, expires_at)
            SELECT sha256(n::text::bytea), pk, CASE WHEN n = 2 THEN 'verify' ELSE 'reset' END, {ages} FROM users, generate_series(1, 2) n;
        INSERT INTO rate_limits SELECT gen_random_uuid(), EXTRACT(epoch FROM {ages}) * 1000000 FROM generate_series(1, 240) n;
        INSERT INTO events (kind, at) SELECT 'logged_in', {ages} - interval '30 days' FROM generate_series(1, 240) n;
        INSERT INTO outbox (letter, recipient, failed_at)
            SELECT 'verify', 'a@example.com', {ages} - interval '30 days' FROM generate_series(1, 240) n""")
    old = {"sessions": "expires_at <= now()", "one_time_tokens": "expires_at <= now()", 
           "rate_limits": "busy_until <= EXTRACT(epoch FROM now()) * 1000000",
           "events": "at <= now() - interval '30 days'", "outbox": "failed_at <= now() - interval '30 days'"}

    def count(table, condition):
        return service.query(f"SELECT count(*) FROM {table} WHERE {condition}")[0][0]
    kept = {table: count(table, f"NOT coalesce({condition}, false)") for table, condition in old.items()}
    assert kept["sessions"] == 120 and count("sessions", old["sessions"]) == 120
    service.start()
    wait_until(lambda: all(count(table, condition) == 0 for table, condition in old.items()), timeout=30)
    assert {table: count(table, "true") for table in old} == kept
