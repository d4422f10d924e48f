# SPDX-License-Identifier: MIT
"""deploy/quickstart: what it starts, as whom, and that root neither follows nor runs what the users planted
who write in its folder."""
import http.client
import itertools
import json
import os
import pwd
import re
import shutil
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import psycopg2
import pytest

from harness import AS_ROOT, ROOT, folder, free_port, link_of, wait_until
import email
import email.policy

needs_root = pytest.mark.skipif(not AS_ROOT, reason="only root has other users to beware of")
SERVICE, WEB = "latchkey-quickstart", "latchkey-quickstart-web"
numbers = itertools.count(1)


class Quickstart:
    """One run, in a folder of the test's."""

    def __init__(self, state, *arguments, root=ROOT, prefix=(), **environment):
        self.state, self.port = Path(state), free_port()
        self.log = self.state.parent / f"output{next(numbers)}"
        compiler = {"CC": "ccache gcc"} if shutil.which("ccache") else {}
        with open(self.log, "w") as output:
            self.process = subprocess.Popen(
                [*prefix, f"{root}/deploy/quickstart", "--state", state, "--port", str(self.port), *arguments],
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
                env={**os.environ, **compiler, **environment})

    def output(self):
        return self.log.read_text()

    def ready(self):
        def said():
            assert self.process.poll() is None, self.output()
            return f"\nready http://127.0.0.1:{self.port}\n" in "\n" + self.output()
        wait_until(said, timeout=240, step=0.1)
        return self

    def refused(self):
        """What it said; it must not start anything."""
        assert self.process.wait(timeout=60) == 1, self.output()
        return self.output()

    def processes(self):
        """Process, user and command line of all that it started."""
        found = []
        for path in Path("/proc").glob("[0-9]*"):
            try:
                command = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                if str(self.state) in command or (path / "cwd").resolve().is_relative_to(self.state):
                    found.append((int(path.name), path.stat().st_uid, command))
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                pass
        return found

    def stop(self, number=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(number)
        assert self.process.wait(timeout=60) == 0, self.output()

    def request(self, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("POST" if body else "GET", "/api/auth" + path, body and json.dumps(body),
                               {"Content-Type": "application/json"} if body else {})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def register(self, name):
        return self.request("/register", {"email": name, "password": "a long password", "full_name": "J"})[0]

    def log_in(self, name):
        return self.request("/login", {"username": name, "password": "a long password"})[0]


@pytest.fixture
def place():
    path = folder()
    yield path
    shutil.rmtree(path)


@pytest.fixture
def run():
    """run(state, …): a Quickstart that ends with the test."""
    started = []

    def run(*arguments, **more):
        started.append(Quickstart(*arguments, **more))
        return started[-1]

    yield run
    for one in started:
        if one.process.poll() is None:
            one.process.terminate()
            one.process.wait(timeout=60)


def as_user(user, *command, check=True):
    return subprocess.run(["setpriv", f"--reuid={user}", f"--regid={pwd.getpwnam(user).pw_gid}", "--clear-groups", *command],
                          check=check, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=20)


def database(state, user, name="postgres"):
    connection = psycopg2.connect(host=f"{state}/pg", user=user, dbname=name)
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        return cursor.fetchone()[0]


@needs_root
def test_nothing_that_it_starts_is_roots(run, place):
    one = run(place / "state").ready()
    user = "user@example.com"
    assert one.register(user) == 201
    mail, = wait_until(lambda: list((one.state / "mail").glob("*.eml")))
    message = email.message_from_bytes(mail.read_bytes(), policy=email.policy.default)
    assert message["To"] == user and f":{one.port}/api/auth/verify/" in link_of(message)
    owners = {pwd.getpwuid(uid).pw_name for process, uid, _ in one.processes() if process != one.process.pid}
    assert owners == {"postgres", SERVICE, WEB}
    # the kernel's word for who connects, and root may be anybody
    assert database(one.state, "postgres") == "postgres" and database(one.state, "latchkey", "latchkey") == "latchkey"
    for stranger, role in (("www-data", "postgres"), ("www-data", "latchkey"), (SERVICE, "postgres"), (WEB, "latchkey")):
        refused = as_user(stranger, "psql", "-h", f"{one.state}/pg", "-U", role, "-c", "", "latchkey", check=False)
        assert refused.returncode == 2, (stranger, role)
    assert as_user(SERVICE, "psql", "-h", f"{one.state}/pg", "-U", "latchkey", "-c", "", "latchkey").returncode == 0
    one.stop(signal.SIGINT)
    assert not one.processes() and not (one.state / "run").exists()
    # a second run goes on with the same users, on another port, beside another instance
    one = run(one.state).ready()
    other = run(place / "other", "-o", "api.dialect=nested").ready()
    assert one.log_in(user) == 200 and other.log_in(user) == 401
    other.stop()
    assert one.log_in(user) == 200
    one.stop()
    fresh = run(one.state, "--fresh").ready()
    assert fresh.log_in(user) == 401


class Victim:
    """Root's things elsewhere, and programs that tell who has run them."""

    def __init__(self, place):
        self.dir = place / "victim"
        self.dir.mkdir()
        self.file = self.dir / "file"
        self.file.write_text("precious")
        self.file.chmod(0o600)
        (self.dir / "folder").mkdir()
        self.ran = place / "ran"
        self.ran.mkdir()
        self.ran.chmod(0o777)
        bin = place / "evil" / "bin"
        bin.mkdir(parents=True)
        for name in ("postgres", "psql", "pg_isready", "initdb", "nginx", "latchkey", "curl", "ninja", "meson"):
            (bin / name).write_text(f"#!/bin/sh\nid -un >>{self.ran}/$(id -un)\n")
            (bin / name).chmod(0o755)
        self.programs = bin
        self.before = self.look()

    def look(self):
        return {str(p): (os.lstat(p).st_uid, os.lstat(p).st_gid, os.lstat(p).st_mode, p.read_text() if p.is_file() else
                         sorted(os.listdir(p))) for p in [self.dir, self.file, self.dir / "folder"]}

    def check(self):
        assert self.look() == self.before
        assert not (self.ran / "root").exists()


NAMES = ["nginx.conf", "latchkey-nginx.conf", "pg_hba.conf", "pg_ident.conf", "latchkey", "latchkey.conf", "service",
         "nginx", "build.log", "config.log", "migrate.log", "initdb.log", "postgresql.log", "latchkey.log", "nginx.log",
         "access.log", "pid", "body", "latchkey.sock", "aaa.pem", "zzz.eml", "new", ".s.PGSQL.5432", "run", "log"]


def plant(user, where, victim, names=NAMES):
    """As that user, in every folder below `where` that it can write: links to root's things, and FIFOs, by
    every name that is opened here, in place of whatever is there but a cluster and keys that work. How many."""
    script = """
import os, sys
where, victim, names = sys.argv[1], sys.argv[2], sys.argv[3:]
planted = 0
for top, folders, files in os.walk(where):
    folders[:] = [f for f in folders if f != "data"]
    if not os.access(top, os.W_OK):
        continue
    for i, name in enumerate(names):
        path = os.path.join(top, name)
        try:
            if os.path.isdir(path) and not os.path.islink(path):
                os.rename(path, path + ".aside")
            elif os.path.lexists(path):
                os.unlink(path)
            if i % 4 == 3:
                os.mkfifo(path, 0o666)
            else:
                os.symlink(victim + ("/file", "/folder", "/new")[i % 3], path)
            planted += 1
        except OSError:
            pass
print(planted)
"""
    return int(as_user(user, sys.executable, "-c", script, str(where), str(victim.dir), *names).stdout)


@needs_root
def test_what_others_plant_is_neither_followed_nor_run(run, place):
    victim = Victim(place)
    state = place / "state"
    one = run(state).ready()
    assert one.register("user@example.com") == 201
    one.stop()
    names = [n for n in NAMES if not n.endswith(".pem")]  # a broken key would but keep the service itself from starting
    planted = {user: plant(user, state, victim, names) for user in (SERVICE, WEB, "postgres", "www-data")}
    assert planted["www-data"] == 0 and min(planted[SERVICE], planted["postgres"]) > 10
    one = run(state).ready()
    assert one.log_in("user@example.com") == 200
    # the same while it runs: root looks once more when it stops
    planted = {user: plant(user, state / "run", victim) for user in (SERVICE, WEB, "postgres", "www-data")}
    assert planted[WEB] > 10
    one.stop()
    assert not (state / "run").exists()
    victim.check()
    # the cluster says which programs run it
    version = state / "pg/data/PG_VERSION"
    for planting in (f"rm {version}; echo ../../../..{victim.programs.parent} >{version}",
                     f"rm {version}; ln -s {victim.file} {version}", f"rm {version}; mkfifo {version}",
                     f"rm -f {version}; echo '99; {victim.programs}/psql' >{version}"):
        as_user("postgres", "sh", "-c", planting)
        assert "is no PostgreSQL cluster" in run(state).refused()
        victim.check()


@needs_root
def test_the_folder_of_version_0_1_0_goes_on_with_its_users(run, place):
    """It gave mail, keys, log and run to www-data, and left the marker empty."""
    victim = Victim(place)
    state = place / "state"
    one = run(state).ready()
    assert one.register("user@example.com") == 201
    wait_until(lambda: list((state / "mail").glob("*.eml")))
    one.stop()
    (state / "run").mkdir()
    subprocess.run(["chown", "-R", "www-data:", *(state / n for n in ("mail", "keys", "log", "run"))], check=True)
    subprocess.run(["chown", "postgres:www-data", state / "pg"], check=True)
    (state / ".latchkey-quickstart").write_text("")
    conf = state / "latchkey.conf"
    conf.write_text(conf.read_text().replace("run/service/", "run/"))
    conf.chmod(0o644)
    hba = state / "pg/data/pg_hba.conf"
    hba.write_text("local all all trust\n")
    assert plant("www-data", state, victim) > 80 and plant("postgres", state, victim) > 10
    (key,) = [p for p in (state / "keys").glob("2*.pem")]
    one = run(state).ready()
    assert one.log_in("user@example.com") == 200
    assert stat.S_IMODE(conf.stat().st_mode) == 0o640 and key.owner() == SERVICE
    assert as_user("www-data", "psql", "-h", f"{state}/pg", "-U", "postgres", "-c", "", check=False).returncode == 2
    assert all(not p.is_symlink() and p.owner() == SERVICE for p in [*(state / "mail").iterdir(), *(state / "keys").iterdir()])
    one.stop()
    victim.check()


def owned(path, user, mode=0o755):
    path.mkdir()
    shutil.chown(path, user, user)
    path.chmod(mode)
    return path


def linked(path, to):
    path.symlink_to(to)
    return path


def with_entry(path, name, make):
    path.mkdir()
    (path / ".latchkey-quickstart").write_text("2\n")
    make(path / name)
    return path


@needs_root
@pytest.mark.parametrize("make, words", [
    (lambda p: owned(p / "state", "www-data"), "belongs to www-data"),
    (lambda p: owned(p / "above", "www-data") / "state", "belongs to www-data"),
    (lambda p: owned(p / "state", "root", 0o1777), "can be written by others"),
    (lambda p: owned(p / "above", "root", 0o777) / "state", "can be written by others"),
    (lambda p: (shutil.chown(owned(p / "above", "root"), "root", "www-data"), (p / "above").chmod(0o775), p / "above/state")[-1],
     "can be written by others"),
    (lambda p: linked(p / "state", owned(p / "real", "root")), "is no folder but a link"),
    (lambda p: linked(p / "above", owned(p / "real", "root")) / "state", "is no folder but a link"),
    (lambda p: owned(p / "above", "root", 0o700) / "state", "chmod a+x"),
    (lambda p: with_entry(p / "state", "latchkey.conf", lambda e: e.symlink_to("/etc/passwd")), "symbolic link"),
    (lambda p: with_entry(p / "state", ".lock", lambda e: os.mkfifo(e)), "fifo"),
    (lambda p: with_entry(p / "state", "latchkey.conf", lambda e: (e.write_text(""), os.link(e, p / "second"))), "second name"),
    (lambda p: with_entry(p / "state", "latchkey.conf", lambda e: (e.write_text(""), shutil.chown(e, "www-data"))), "is not root's"),
], ids=["another's", "in another's", "open to all", "in one open to all", "in a group's", "a link", "through a link",
        "in a closed one", "settings that are a link", "a FIFO for the lock", "settings with a second name", "another's settings"])
def test_a_folder_that_is_not_roots_alone_is_refused(run, place, make, words):
    state = make(place)
    assert words in run(state).refused()
    assert not (state / "pg/data").exists()


@needs_root
def test_a_folder_in_tmp_is_roots_if_root_made_it(run, place):
    """Nobody replaces it there, whoever may write; but the name may be taken."""
    sticky = owned(place / "sticky", "root", 0o1777)
    owned(sticky / "taken", "www-data")
    assert "belongs to www-data" in run(sticky / "taken").refused()
    run(sticky / "mine").ready().stop()


def test_an_ordinary_user_needs_no_root(run, place):
    """In a checkout and a home of their own."""
    checkout = place / "checkout"
    for name in subprocess.check_output(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, text=True).splitlines():
        if (ROOT / name).is_file():
            (checkout / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, checkout / name)
    prefix = ()
    if AS_ROOT:
        subprocess.run(["chown", "-R", "www-data:", place], check=True)
        group = pwd.getpwnam("www-data").pw_gid
        prefix = ("setpriv", "--reuid=www-data", f"--regid={group}", "--clear-groups")
    one = run(place / "state", root=checkout, prefix=prefix, HOME=str(place)).ready()
    assert one.register("user@example.com") == 201
    wait_until(lambda: list((one.state / "mail").glob("*.eml")))
    if AS_ROOT:
        assert {pwd.getpwuid(uid).pw_name for _, uid, _ in one.processes()} == {"www-data"}
        assert database(one.state, "postgres") == "postgres"
    one.stop()
    one = run(one.state, root=checkout, prefix=prefix, HOME=str(place)).ready()
    assert one.log_in("user@example.com") == 200
    one.stop()
    keys = one.state / "keys"
    assert len(list(keys.glob("*.pem"))) == 1
    # a key is made for an algorithm that has none yet, and for no other reason
    one = run(one.state, "-o", "tokens.algorithm=EdDSA", root=checkout, prefix=prefix, HOME=str(place)).ready()
    assert one.log_in("user@example.com") == 200
    assert {key["alg"] for key in json.loads(one.request("/.well-known/jwks.json")[1])["keys"]} == {"ES256", "EdDSA"}
    one.stop()
    wrong = run(one.state, "-o", "http.no_such_key=1", root=checkout, prefix=prefix, HOME=str(place))
    assert "unknown key http.no_such_key" in wrong.refused() and "settings are not valid" in wrong.output()
    assert len(list(keys.glob("*.pem"))) == 2 and not one.processes()
