# SPDX-License-Identifier: MIT
"""The processes: a hasher's death that nobody notices, what a reload changes, logs that are moved away, and one process
that does everything."""
import json
import os
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest

from harness import Nginx, Service, answer_of, fastcgi, fastcgi_octets, is_read, wait_until
from sink import Sink
from test_kept import Kept

PASSWORD = "correct horse 77"


def register(web, email):
    answer = web.post("/api/auth/register", {"email": email, "password": PASSWORD, "full_name": "J"})
    assert answer.status == 201, answer


def log_ins(service, email, count):
    """Threads that log in, and what comes of it."""
    answers = []

    def log_in():
        with Kept(service) as peer:
            answers.append(peer.request("POST", "/login", {"username": email, "password": PASSWORD})[0])
    threads = [threading.Thread(target=log_in) for _ in range(count)]
    for thread in threads:
        thread.start()
    return threads, answers


def reload(service, **settings):
    """With other settings: until the children before have gone."""
    before = set(service.children())
    service.settings.update({name.replace("__", "."): str(value) for name, value in settings.items()})
    service.write()
    service.process.send_signal(signal.SIGHUP)
    wait_until(lambda: service.children() and not before & set(service.children()))


@pytest.mark.parametrize("slots", [1, 2])
def test_a_killed_hasher_is_noticed_by_nobody(make, address, slots):
    """A hundred log-ins, and hashers die over them."""
    service, web = make(passwords__memory=2048, passwords__slots=slots)
    email = address()
    register(web, email)
    time.sleep(1)  # one that dies young is replaced after a pause
    threads, answers = log_ins(service, email, 100)
    wait_until(lambda: len(answers) > 10, step=0.001)
    service.kill(service.children("hasher")[0])
    assert len(answers) < 100  # it was in the middle of them
    for thread in threads:
        thread.join()
    assert answers == [200] * 100


def test_a_hasher_that_is_stopped_holds_up_the_others_jobs_no_longer_than_promised(make, address):
    service, web = make(passwords__slots=1)
    email = address()
    register(web, email)
    hasher, = service.children("hasher")
    os.kill(hasher, signal.SIGSTOP)
    try:
        started = time.monotonic()
        threads, answers = log_ins(service, email, 5)
        assert web.get("/api/auth/health").status == 200
        for thread in threads:
            thread.join()
        assert answers == [503] * 5 and time.monotonic() - started < 4
    finally:
        os.kill(hasher, signal.SIGCONT)
    wait_until(lambda: web.post("/api/auth/login", {"username": email, "password": PASSWORD}).status == 200)


def test_a_worker_takes_no_hash_of_its_predecessor(make, address):
    """What a worker that died had asked for is answered to the one in its place, which numbers its jobs alike. With the
    hash of the right password a wrong one would do."""
    service, web = make(http__workers=1, passwords__slots=1)
    email = address()
    register(web, email)
    hasher, = service.children("hasher")
    found = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%%rate_limits_take%%' AND state = 'idle'"

    def log_in(password):
        return fastcgi(service, "/login", "POST", json.dumps({"username": email, "password": password}).encode())
    for _ in range(3):
        worker, = service.children("worker")
        os.kill(hasher, signal.SIGSTOP)
        lost = [log_in(PASSWORD) for _ in range(8)]
        wait_until(lambda: all(map(is_read, lost)) and service.query(found) == [(1,)])
        wait_until(lambda: Path(f"/proc/{worker}/stat").read_text().rsplit(")", 1)[1].split()[0] == "S")
        service.kill(worker)
        wait_until(lambda: service.children("worker") not in ([], [worker]))
        peers = [log_in("wrong password") for _ in range(10)]
        wait_until(lambda: all(map(is_read, peers)) and service.query(found) == [(1,)])
        os.kill(hasher, signal.SIGCONT)
        assert {answer_of(peer)[0] for peer in peers} <= {401, 503}
        for peer in lost + peers:
            peer.close()


def test_hashers_hold_nothing_but_their_sockets(make):
    """No listener, no connection of a client, none to the database, no file of keys."""
    service, web = make()
    with Kept(service) as peer:
        assert peer.request("GET", "/health")[0] == 200
        ours = {line.split()[6] for line in open("/proc/net/unix") if service.socket in line or ".s.PGSQL" in line}
        for hasher in service.children("hasher"):
            held = {os.readlink(f"/proc/{hasher}/fd/{name}") for name in os.listdir(f"/proc/{hasher}/fd")}
            assert not {link for link in held if link[8:-1] in ours}
            assert not [link for link in held if link.startswith("/") and link != "/dev/null" and not link.startswith(f"{service.dir}/log/")]


def test_a_reload_applies_counts_and_the_log(make):
    service, web = make(http__workers=1, passwords__slots=1)
    other = service.dir / "log" / "other"
    reload(service, http__workers=3, passwords__slots=2, log__target=other, log__level="warning")
    wait_until(lambda: (len(service.children("worker")), len(service.children("hasher"))) == (3, 2))
    reload(service, http__workers=2, passwords__slots=1, log__level="info")
    wait_until(lambda: (len(service.children("worker")), len(service.children("hasher"))) == (2, 1))
    assert web.get("/api/auth/health").status == 200
    wait_until(lambda: "reloaded children=4" in other.read_text())
    assert "reloaded children=6" not in other.read_text()


@pytest.mark.parametrize("name, value", [("http.listen", "/tmp/elsewhere"), ("http.socket_mode", "0600"),
                                         ("http.socket_group", "nogroup"), ("process.user", "nobody")])
def test_what_a_reload_cannot_change_is_said(make, name, value):
    service, web = make()
    reload(service, **{name.replace(".", "__"): value})
    assert service.log_contains(f"restart_needed {name} has changed: restart latchkey")
    assert web.get("/api/auth/health").status == 200


def test_one_process_instead_of_many_needs_a_restart(make):
    service, web = make()
    service.expect("reload_failed", 1)
    before = service.children()
    service.settings["http.workers"] = "0"
    service.write()
    service.process.send_signal(signal.SIGHUP)
    wait_until(lambda: service.log_contains("reload_failed http.workers = 0 needs a restart"))
    assert service.children() == before and web.get("/api/auth/health").status == 200


def test_usr1_reopens_the_log_everywhere(make, address):
    service, web = make(http__workers=2, passwords__slots=1)
    register(web, address())
    log, moved = service.dir / "log" / "log", service.dir / "log" / "log.1"
    log.rename(moved)
    service.process.send_signal(signal.SIGUSR1)

    def holders(path):
        return [child for child in [service.process.pid, *service.children()]
                if str(path) in (os.readlink(f"/proc/{child}/fd/{name}") for name in os.listdir(f"/proc/{child}/fd"))]
    wait_until(lambda: not holders(moved) and len(holders(log)) == 1 + len(service.children()), timeout=15)
    size = moved.stat().st_size
    register(web, address())
    wait_until(lambda: "mail_sent" in log.read_text())
    assert moved.stat().st_size == size


def test_a_reload_under_load_loses_nothing(make):
    """Kept connections with requests all the time, through five reloads."""
    service, _ = make(http__workers=2)
    wrong, done, stop = [], [0], threading.Event()

    def insist():
        with Kept(service) as peer:
            while not stop.is_set():
                try:
                    status = peer.request("GET", "/nowhere")[0]
                except OSError as error:
                    wrong.append(error)
                    return
                done[0] += 1
                if status != 404:
                    wrong.append(status)
    threads = [threading.Thread(target=insist) for _ in range(8)]
    for thread in threads:
        thread.start()
    for _ in range(5):
        before = done[0]
        reload(service)
        wait_until(lambda: done[0] > before + 20)
    stop.set()
    for thread in threads:
        thread.join()
    assert not wrong, wrong[:3]


class Alone(Service):
    """One process that does everything, under the harness's eyes."""

    def start(self):
        self.process = subprocess.Popen(self.argv("serve"), env=self.environment, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda: self.alive() and os.path.exists(self.socket))


@pytest.fixture
def alone(cluster):
    made = []

    def alone(**settings):
        made.append(Alone(cluster, http__workers=0, **settings))
        made.append(Nginx(made[-1]))
        return made[-2:]
    yield alone
    for one in reversed(made):
        one.close()


def test_alone_a_mail_server_that_does_not_answer_stops_nobody(alone, address):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(8)
        service, web = alone(mail__transport="smtp", mail__url=f"smtp://127.0.0.1:{silent.getsockname()[1]}",
                             mail__tls="off", mail__timeout="20s")
        service.expect("mail_retry", None)
        register(web, address())
        silent.settimeout(10)
        connection, _ = silent.accept()  # a mail is on its way, and nobody says a word
        for _ in range(20):
            started = time.monotonic()
            assert web.get("/api/auth/health").status == 200
            assert time.monotonic() - started < 2
        sender, = service.children()
        names = [os.readlink(f"/proc/{sender}/fd/{name}") for name in os.listdir(f"/proc/{sender}/fd")]
        inherited = {line.split()[6] for line in open("/proc/net/unix") if service.socket in line}
        assert not [name for name in names if name[8:-1] in inherited]
        started = time.monotonic()
        service.process.terminate()
        assert service.process.wait(timeout=5) == 0 and time.monotonic() - started < 3
        connection.close()


def test_alone_a_mail_does_not_wait_for_the_next_request(alone, address):
    server = Sink()
    server.stop()
    service, web = alone(mail__transport="smtp", mail__url=f"smtp://127.0.0.1:{server.port}", mail__tls="off", mail__timeout="2s")
    service.expect("mail_retry", None)
    register(web, address())
    wait_until(lambda: service.log_contains("mail_retry"))
    server.start()
    try:
        wait_until(lambda: server.messages, timeout=15)
    finally:
        server.stop()


def test_alone_a_request_that_stops_halfway_is_closed_after_mail_was_sent(alone, address):
    service, web = alone(http__timeout="2s")
    email = address()
    register(web, email)
    service.token(email, "verify")
    with Kept(service) as peer:
        peer.socket.sendall(fastcgi_octets("/health")[:40])
        started = time.monotonic()
        assert web.get("/api/auth/health").status == 200
        assert peer.is_closed() and 1 < time.monotonic() - started < 4
    with Kept(service) as peer:
        assert peer.request("POST", "/login", {"username": email, "password": PASSWORD})[0] == 200


def test_a_silent_database_host_gets_its_share_of_the_time(make):
    """libpq alone would wait for it until database.timeout is over, each time anew."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(64)
        service, web = make(database__timeout="3s", http__workers=2)
        service.expect("database_away", None)
        place = service.cluster.url(service.database).partition("host=")[2].partition("&")[0]
        hosts = f"postgresql:///{service.database}?host=127.0.0.1,{place}&port={silent.getsockname()[1]},5432&user=postgres"
        reload(service, database__url=hosts)
        started = time.monotonic()
        assert web.get("/api/auth/health").status == 200
        assert time.monotonic() - started < 3


def test_a_request_beside_the_end_of_the_connection_is_served(make, cluster):
    """The worker is told of both at the same time: of the request first, which makes a new connection."""
    service, _ = make(http__workers=1)
    with Kept(service) as peer:
        assert peer.request("POST", "/login", {"username": "a", "password": PASSWORD})[0] == 401
    worker, = service.children("worker")
    time.sleep(0.3)  # a connection that was used just now is not looked at
    os.kill(worker, signal.SIGSTOP)
    with fastcgi(service, "/login", "POST", b'{"username": "a", "password": "password123"}') as peer:
        ended = service.query("SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity "
                              "WHERE datname = current_database() AND pid <> pg_backend_pid()")
        wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid, _ in ended))
        os.kill(worker, signal.SIGCONT)
        assert answer_of(peer)[0] == 401


def test_others_are_served_while_one_connects_to_the_database(make):
    """A worker whose database does not answer answers what needs none."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(64)
        service, _ = make(database__timeout="3s", http__workers=1)
        service.expect("database_away", None)
        reload(service, database__url=f"postgresql://127.0.0.1:{silent.getsockname()[1]}/none?user=postgres")
        with Kept(service) as waiting, Kept(service) as other:
            waiting.send("GET", "/health")
            started = time.monotonic()
            for _ in range(20):
                assert other.request("GET", "/nowhere")[0] == 404
            assert time.monotonic() - started < 2
            assert answer_of(waiting.socket)[0] == 503 and time.monotonic() - started > 2


@pytest.mark.skipif(not os.path.exists("/proc/self/autogroup"), reason="this kernel does not group processes by session")
def test_hashers_come_after_everybody_else(make):
    """Niceness counts within a session alone, where the kernel groups processes by session (sched(7))."""
    service, _ = make()
    for hasher in service.children("hasher"):
        wait_until(lambda: Path(f"/proc/{hasher}/autogroup").read_text().endswith("nice 10\n"))
        assert os.getpriority(os.PRIO_PROCESS, hasher) == 10
