# SPDX-License-Identifier: MIT
"""How the service starts: before its database is there, as which user, and who may look into it."""
import os
import pwd
import re
import signal
import subprocess
from pathlib import Path

import pytest

from harness import AS_ROOT, BINARY, Nginx, Service, fastcgi, wait_until

needs_root = pytest.mark.skipif(not AS_ROOT, reason="only root may become another user")


class Stopped(Service):
    """A service with everything of its own that a test starts itself."""

    def start(self):
        pass


@pytest.fixture
def stopped(cluster):
    """stopped(section__key=value, …): see Stopped."""
    made = []

    def make(**settings):
        made.append(Stopped(cluster, **settings))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def in_front():
    """in_front(service): the nginx before a service."""
    made = []

    def make(service):
        made.append(Nginx(service))
        return made[-1]

    yield make
    for one in made:
        one.close()


def health(web):
    return web.get("/api/auth/health")


def test_serves_once_the_database_and_its_tables_are_there(cluster, stopped, in_front):
    service = stopped()
    cluster.drop(service.database)
    assert service.command("migrate").returncode != 0
    Service.start(service)
    web = in_front(service)
    answer = health(web)
    assert answer.status == 503 and int(answer.headers["Retry-After"]) >= 1
    cluster.execute(f"CREATE DATABASE {service.database}")
    wait_until(lambda: health(web).status == 503 and service.log_contains("schema_does_not_fit .*run latchkey migrate"))
    assert web.post("/api/auth/login", {"username": "a@example.com", "password": "password123"}).status == 503
    service.command("migrate", check=True)
    wait_until(lambda: health(web).status == 200, timeout=5)
    new = {"email": "a@example.com", "password": "password123", "full_name": "J"}
    wait_until(lambda: web.post("/api/auth/register", new).status == 201, timeout=5)
    service.token("a@example.com", "verify")


def test_starts_with_tables_that_are_too_old_and_says_so(stopped, in_front):
    service = stopped()
    service.query("DELETE FROM schema_migrations")
    Service.start(service)
    assert service.log_contains("warning supervisor.* schema_old .*run latchkey migrate")
    assert health(in_front(service)).status == 503


def test_does_not_serve_on_the_tables_of_a_newer_program(stopped, in_front):
    service = stopped()
    Service.start(service)
    web = in_front(service)
    assert health(web).status == 200
    service.query("INSERT INTO schema_migrations (version, name) VALUES (9999, 'future')")
    service.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
    wait_until(lambda: health(web).status == 503 and service.log_contains("schema_does_not_fit .*step 9999"))
    service.stop()
    for command in ("serve", "migrate"):
        run = service.command(command)
        assert run.returncode not in (0, 1 if command == "serve" else 0) and "step 9999" in run.stderr


def test_migrate_has_nothing_to_do_for_a_role_that_may_not_create_tables(cluster, stopped, in_front):
    service = stopped()
    role = f"{service.database}_rw"
    cluster.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'x'")
    try:
        service.query(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role};"
                      f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {role}")
        url = service.settings["database.url"]
        url = re.sub(r"//[^@/]*@", f"//{role}:x@", url) if "@" in url else url.replace("user=postgres", f"user={role}")
        service.settings["database.url"] = url
        service.write()
        run = service.command("migrate")
        assert (run.returncode, run.stderr) == (0, "") and "nothing to do" in run.stdout
        Service.start(service)
        assert health(in_front(service)).status == 200
        service.stop()
        service.query("DELETE FROM schema_migrations")
        run = service.command("migrate")
        assert run.returncode == 1 and "permission denied" in run.stderr and "owns the tables" in run.stderr
    finally:
        service.stop()
        service.query(f"DROP OWNED BY {role}")
        cluster.execute(f"DROP ROLE {role}")


def status_of(process):
    return dict(line.split(":", 1) for line in Path(f"/proc/{process}/status").read_text().splitlines())


class StartedByRoot(Stopped):
    """Root starts it, in a folder where only root may make the socket."""

    def argv(self, *arguments):
        return [str(BINARY), *arguments, "--config", str(self.dir / "latchkey.conf")]


@pytest.fixture
def by_root(cluster):
    service = StartedByRoot(cluster, process__user="www-data")
    (service.dir / "run").mkdir()
    service.settings["http.listen"] = service.socket = str(service.dir / "run" / "sock")
    service.settings["http.socket_group"] = "www-data"
    service.write()
    subprocess.run(["chown", "-R", "www-data:", service.dir / "keys"], check=True)
    yield service
    service.close()


@needs_root
def test_root_makes_the_socket_and_gives_its_rights_up(by_root):
    Service.start(by_root)
    user = pwd.getpwnam("www-data")
    groups = {str(g) for g in os.getgrouplist("www-data", user.pw_gid)}
    for process in [by_root.process.pid, *by_root.children()]:
        status = status_of(process)
        assert status["Uid"].split() == [str(user.pw_uid)] * 4 and status["Gid"].split() == [str(user.pw_gid)] * 4
        assert set(status["Groups"].split()) <= groups and int(status["CapEff"], 16) == int(status["CapPrm"], 16) == 0
    made = os.stat(by_root.socket)
    assert (made.st_uid, made.st_gid, made.st_mode & 0o777) == (0, user.pw_gid, 0o660)
    assert (by_root.dir / "log" / "log").stat().st_uid == user.pw_uid
    assert b"Status: 200" in fastcgi(by_root, "/health").recv(65536)
    before = by_root.children()
    by_root.process.send_signal(signal.SIGHUP)
    wait_until(lambda: not set(before) & set(by_root.children()) and by_root.log_contains("reloaded"))
    assert b"Status: 200" in fastcgi(by_root, "/health").recv(65536)
    by_root.stop()  # the socket stays where only root may remove it, and is in nobody's way
    Service.start(by_root)
    wait_until(lambda: b"Status: 200" in fastcgi(by_root, "/health").recv(65536))


@needs_root
def test_what_the_service_cannot_read_is_found_at_the_start(by_root):
    """And not at the first reload: root could read it."""
    subprocess.run(["chown", "-R", "root:", by_root.dir / "keys"], check=True)
    (by_root.dir / "keys").chmod(0o700)
    run = by_root.command("serve")
    assert run.returncode == 78 and "tokens.keys" in run.stderr


@needs_root
@pytest.mark.parametrize("user, words", [("root", "is root"), ("no-such-user", "there is no user")])
def test_users_that_are_no_way_out_of_root(by_root, user, words):
    run = by_root.command("serve", "-o", f"process.user={user}")
    assert run.returncode == 78 and words in run.stderr


@needs_root
def test_only_root_becomes_another(stopped):
    run = stopped().command("serve", "-o", "process.user=nobody")
    assert run.returncode == 78 and "only root can become nobody" in run.stderr


@needs_root
def test_a_service_that_stays_root_says_how_to_do_better(by_root):
    by_root.settings["process.user"] = ""
    by_root.write()
    by_root.expect("stderr", 1, "runs as root")
    Service.start(by_root)
    advice = "process.user.*User=.*spawn-fcgi -u"
    assert by_root.log_contains(f"warning .* runs_as_root .*{advice}")
    said = by_root.dir / "log" / "stderr"
    assert re.search(advice, said.read_text())
    said.unlink()


def test_memory_is_closed_to_core_files_and_to_others_of_the_same_user(service):
    for process in [service.process.pid, *service.children()]:
        limits = Path(f"/proc/{process}/limits").read_text()
        assert re.search(r"Max core file size +0 +0 ", limits)
        assert os.stat(f"/proc/{process}/environ").st_uid == 0


class ToJournal(Stopped):
    """Its stderr is a pipe that the environment calls the journal's, or another's."""

    def lines(self, stream):
        reader, writer = os.pipe()
        status = os.fstat(writer)
        environment = {**self.environment, "JOURNAL_STREAM": stream or f"{status.st_dev}:{status.st_ino}"}
        process = subprocess.Popen([*self.argv("serve"), "-o", "log.target=stderr"], env=environment, stderr=writer,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        os.close(writer)
        wait_until(lambda: os.path.exists(self.socket) or process.poll() is not None)
        if process.poll() is None:
            process.terminate()
        with open(reader, errors="replace") as said:
            lines = said.read().splitlines()
        process.wait(timeout=20)
        return lines


def test_lines_for_the_journal_begin_with_their_priority(cluster):
    service = ToJournal(cluster)
    try:
        service.query("DELETE FROM schema_migrations")  # a warning
        lines = service.lines(None)
        found = {re.match(r"<(\d)>\S+Z (\w+) ", line).groups() for line in lines}
        assert {("4", "warning"), ("6", "info")} <= found <= {("3", "error"), ("4", "warning"), ("6", "info"), ("7", "debug")}
        # the variable outlives the stream that it names
        lines = service.lines("1:2")
        assert lines and all(re.match(r"\d{4}-\S+Z \w+ ", line) for line in lines)
        service.settings["http.listen"] = "nowhere"
        service.write()
        refused, = [line for line in service.lines(None) if "http.listen" in line]
        assert refused.startswith("<3>latchkey: ")
    finally:
        service.close()
