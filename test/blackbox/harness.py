# SPDX-License-Identifier: MIT
"""Real neighbours for the service under test: a private PostgreSQL, nginx or Apache as the example
files configure them, and the service with a database, keys and mail folder of its own."""
import contextlib
import email
import email.policy
import fcntl
import glob
import http.client
import json
import os
import random
import re
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import termios
import time
from pathlib import Path

import psycopg2
import pytest

import faults
import guard

ROOT = Path(__file__).resolve().parent.parent.parent
AS_ROOT = os.getuid() == 0
PORTS = (10240, 32767)  # below those that the kernel gives to clients


def demote(user):
    """The command prefix that makes a process another user's; nothing where we are not root."""
    if not AS_ROOT:
        return []
    group = subprocess.check_output(["id", "-g", user], text=True).strip()
    return ["setpriv", f"--reuid={user}", f"--regid={group}", "--init-groups"]


def free_port():
    while True:
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            port = random.randint(*PORTS)
            try:
                s.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def wait_until(what, timeout=30, step=0.02):
    """Polls until what() is true, and returns that; fails with a message otherwise."""
    end = time.monotonic() + timeout
    while True:
        value = what()
        if value:
            return value
        assert time.monotonic() < end, f"waited {timeout} s in vain for {what}"
        time.sleep(step)


def processor_time(process):
    """Nanoseconds that it has been on a processor, however busy that is (clock_getcpuclockid(3))."""
    return time.clock_gettime_ns(~process << 3 | 2)


def memory_of(process):
    """All that the process may write to, heap and stacks included, part by part; not a sanitizer's shadow, which
    is terabytes."""
    with open(f"/proc/{process}/maps") as maps, open(f"/proc/{process}/mem", "rb", 0) as memory:
        for line in maps:
            addresses, modes = line.split()[:2]
            begin, end = (int(address, 16) for address in addresses.split("-"))
            if modes.startswith("rw") and end - begin < 1 << 30:
                memory.seek(begin)
                yield memory.read(end - begin)


def folder():
    """A new one, in the run's folder (guard.py)."""
    path = Path(tempfile.mkdtemp(prefix="lk-"))
    path.chmod(0o755)
    return path


def program():
    """A copy of the service's program where every user may read it."""
    given = Path(os.environ.get("LATCHKEY_BINARY", ROOT / "build" / "latchkey"))
    run = Path(os.environ.get(guard.FOLDER) or folder())
    copy = run / "latchkey"
    if not copy.exists():
        part = run / f"latchkey.{os.getpid()}"
        shutil.copy(given, part)
        part.chmod(0o755)
        part.rename(copy)
    return copy


BINARY = program()


class Cluster:
    """PostgreSQL of our own, or the one that LATCHKEY_TEST_DATABASE_URL names."""

    def __init__(self):
        self.given = os.environ.get("LATCHKEY_TEST_DATABASE_URL")
        self.count = 0
        if self.given:
            return
        self.bin = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda p: int(p.split("/")[4]))[-1]
        self.dir = folder()
        if AS_ROOT:
            shutil.chown(self.dir, "postgres")
        self.run("initdb", "-D", f"{self.dir}/data", "-U", "postgres", "-A", "trust", "-E", "UTF8",
                 "--no-sync", "--no-instructions")
        self.start()

    def run(self, program, *arguments):
        subprocess.run(demote("postgres") + [f"{self.bin}/{program}", *arguments], check=True, cwd=self.dir,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                       env={**os.environ, "LC_ALL": "C.UTF-8"})

    def start(self):
        options = (f"-c listen_addresses='' -c unix_socket_directories={self.dir} -c fsync=off "
                   "-c full_page_writes=off -c max_connections=200")
        self.run("pg_ctl", "-D", f"{self.dir}/data", "-w", "-l", f"{self.dir}/log", "-o", options, "start")

    def stop(self, mode="immediate"):
        self.run("pg_ctl", "-D", f"{self.dir}/data", "-m", mode, "-w", "stop")

    def url(self, name="postgres"):
        if self.given:
            return re.sub(r"(//[^/]*/)[^?]*", rf"\g<1>{name}", self.given) if name != "postgres" else self.given
        return f"postgresql:///{name}?host={self.dir}&user=postgres"

    def execute(self, text):
        connection = psycopg2.connect(self.url())
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(text)
        connection.close()

    def create(self):
        self.count += 1
        name = f"latchkey_test_{os.getpid()}_{self.count}"
        self.execute(f"CREATE DATABASE {name}")
        return name

    def drop(self, name):
        self.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def close(self):
        if not self.given:
            self.stop()
            shutil.rmtree(self.dir, ignore_errors=True)


class Service:
    """latchkey with everything of its own. Limits are off unless a test asks for them."""

    DEFAULTS = {"http.workers": "4", "limits.login": "off", "limits.register": "off", "limits.reset": "off",
                "limits.verify": "off", "limits.mail": "off", "api.base_url": "http://localhost/api/auth",
                "mail.transport": "directory", "mail.from": "Test <no-reply@example.com>",
                "passwords.memory": "1024", "passwords.weak": "allow", "log.level": "debug"}

    binary = None  # another program than the one under test

    def __init__(self, cluster, **settings):
        self.cluster = cluster
        self.dir = folder()
        for name in ("mail", "keys", "log"):
            (self.dir / name).mkdir()
        if AS_ROOT:
            for name in ("", "mail", "keys", "log"):
                shutil.chown(self.dir / name, "www-data", "www-data")
        self.database = cluster.create()
        self.socket = str(self.dir / "sock")
        self.settings = {**self.DEFAULTS, "database.url": cluster.url(self.database), "http.listen": self.socket,
                         "tokens.keys": str(self.dir / "keys"), "mail.directory": str(self.dir / "mail"),
                         "log.target": str(self.dir / "log" / "log"),
                         **{k.replace("__", "."): str(v) for k, v in settings.items()}}
        self.process = None
        self.faults = faults.Watch(self.dir / "log", f"service {self.dir.name}", self.settle)
        self.write()
        self.command("keys", "new", check=True)
        self.command("migrate", check=True)
        self.start()

    def write(self):
        """The settings as a file, for a start or a reload to come."""
        sections = {}
        for name, value in self.settings.items():
            section, key = name.split(".")
            sections.setdefault(section, []).append(f"{key} = {value}")
        text = "".join(f"[{s}]\n" + "\n".join(lines) + "\n" for s, lines in sections.items())
        (self.dir / "latchkey.conf").write_text(text)

    more_environment = {}

    @property
    def environment(self):
        # gcc's UBSan writes to stderr all the same where ASan is there too. What is freed is overwritten as by
        # mallopt(M_PERTURB), which ASan's malloc() does not know
        reports = f"log_path={self.dir}/log/sanitizer:exitcode=99"
        return {"PATH": os.environ["PATH"], **self.more_environment, "ASAN_OPTIONS": f"{reports}:detect_leaks=1:print_legend=0:max_free_fill_size=1048576",
                "UBSAN_OPTIONS": f"{reports}:halt_on_error=1:print_stacktrace=1"}

    def argv(self, *arguments):
        return demote("www-data") + [str(self.binary or BINARY), *arguments, "--config", str(self.dir / "latchkey.conf")]

    def command(self, *arguments, check=False):
        run = subprocess.run(self.argv(*arguments), check=check, capture_output=True, text=True,
                             env=self.environment, stdin=subprocess.DEVNULL)
        if faults.REPORT.search(run.stderr):
            self.faults.add(f"{arguments}: {run.stderr}")
        return run

    def serve(self):
        """Starts it, and does not wait. What it says on stderr is a fault."""
        with open(self.dir / "log" / "stderr", "ab") as stderr:
            self.process = subprocess.Popen(self.argv("serve"), env=self.environment, stdin=subprocess.DEVNULL,
                                            stdout=subprocess.DEVNULL, stderr=stderr)

    def start(self):
        self.serve()
        wait_until(lambda: self.alive() and os.path.exists(self.socket) and len(self.children()) >= 2)

    def alive(self):
        assert self.process.poll() is None, f"the service has ended:\n{self.log()}"
        return True

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(timeout=20)

    def children(self, role=None):
        """Their process ids, the oldest first: all, or those that are "worker", "hasher" or "courier"."""
        try:
            found = [int(p) for p in Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()]
        except FileNotFoundError:
            return []
        return found if role is None else [child for child in found if self.role(child) == role]

    @staticmethod
    def role(child):
        """What the process calls itself, once it does; None where it has ended."""
        try:
            name = wait_until(lambda: Path(f"/proc/{child}/comm").read_text().strip().partition("-")[2])
        except (FileNotFoundError, ProcessLookupError):
            return None
        return next(role for role in ("worker", "hasher", "courier") if f"latchkey-{role}"[:15] == f"latchkey-{name}")

    def expect(self, event, count=1, fields=""):
        """The test causes these lines of the log on purpose (count None: any number), else they fail it."""
        self.faults.expect(event, count, fields)

    def kill(self, child, number=signal.SIGKILL):
        """Kills one child on purpose."""
        self.expect("child_died", 1, f"signal={int(number)} ")
        os.kill(child, number)

    def settle(self):
        """Until the supervisor has taken note of all children that have died."""
        def state(child):
            try:
                return Path(f"/proc/{child}/stat").read_text().rsplit(")", 1)[1].split()[0]
            except (FileNotFoundError, ProcessLookupError):
                return None
        if self.process and self.process.poll() is None:
            wait_until(lambda: self.process.poll() is not None or "Z" not in map(state, self.children()), timeout=5)

    def log(self):
        path = self.dir / "log" / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    def log_contains(self, pattern):
        return re.search(pattern, self.log())

    def query(self, text, *values):
        connection = psycopg2.connect(self.cluster.url(self.database))
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(text, values)
            rows = cursor.fetchall() if cursor.description else None
        connection.close()
        return rows

    @contextlib.contextmanager
    def statements(self):
        """A function that calls another, and returns the names of the statements that were executed meanwhile, but
        for the courier's and those that a connection begins with. The service is started anew, for sessions learn at their start what is to be logged."""
        if self.cluster.given:
            pytest.skip("the log of a given server is not ours to read")

        def of(call):
            before = log.stat().st_size
            call()
            with open(log) as f:
                f.seek(before)
                names = re.findall(r"LOG:  (?:execute (\w+):|statement: (\w+))", f.read())
            return [name or word for name, word in names if not re.search("outbox|purge|schema|BEGIN|LISTEN|ROLLBACK", name + word)]
        log = self.cluster.dir / "log"
        self.cluster.execute(f"ALTER DATABASE {self.database} SET log_statement = 'all'")
        self.stop()
        self.start()
        yield of
        self.cluster.execute(f"ALTER DATABASE {self.database} RESET log_statement")

    def mails(self, recipient, letter=None):
        """What arrived for a recipient, the oldest first."""
        found = []
        for path in sorted((self.dir / "mail").glob("*.eml"), key=lambda p: p.stat().st_mtime_ns):
            message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            if message["To"] == recipient and (letter is None or letter in message["Subject"]):
                found.append(message)
        return found

    def token(self, recipient, kind, count=1):
        """The token of the newest verify or password-reset link, when there are `count` such mails."""
        def links():
            found = [link_of(m) for m in self.mails(recipient)]
            found = [link for link in found if link and f"/{kind}/" in link]
            return len(found) >= count and found
        return wait_until(links)[-1].rsplit("/", 1)[1]

    def close(self):
        self.stop()
        self.faults.close()
        self.cluster.drop(self.database)
        shutil.rmtree(self.dir, ignore_errors=True)


def link_of(message):
    """The link in a mail's text part: a line of its own."""
    text = message.get_body(("plain",)).get_content()
    return next((line for line in text.splitlines() if line.startswith("http")), None)


class Answer:
    def __init__(self, response, body):
        self.status, self.body = response.status, body
        self.headers = response.headers
        self.json = json.loads(body) if body and response.headers.get_content_type() == "application/json" else None

    def __repr__(self):
        return f"{self.status} {self.body[:300]!r}"


class WebServer:
    """One of the two, configured by its example file."""

    def __init__(self, service):
        self.service, self.port, self.dir = service, free_port(), folder()
        self.url = f"http://127.0.0.1:{self.port}"
        with open(self.dir / "out", "w") as out:
            self.process = subprocess.Popen(self.configure(), stdin=subprocess.DEVNULL, env=self.environment(),
                                            stdout=out, stderr=subprocess.STDOUT)
        self.faults = faults.Watch(self.dir, f"web server of {service.dir.name}")
        wait_until(self.listens)

    def environment(self):
        return dict(os.environ)

    def listens(self):
        assert self.process.poll() is None, (self.dir / "out").read_text()
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", self.port)) == 0

    def example(self, name, logs):
        text = (ROOT / name).read_text().replace("/run/latchkey/latchkey.sock", self.service.socket)
        return re.sub(r"([Ll]isten) 8080", rf"\1 127.0.0.1:{self.port}", text).replace(logs, str(self.dir))

    def request(self, method, path, body=None, headers=None, host="localhost", token=None, timeout=30):
        """body: a dict is sent as JSON; bytes as they are."""
        headers = dict(headers or {})
        if isinstance(body, (dict, list)):
            body = json.dumps(body).encode()
            headers.setdefault("Content-Type", "application/json")
        if token:
            headers["Authorization"] = f"Bearer {token}"
        headers.setdefault("Host", f"{host}:{self.port}")
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            return Answer(response, response.read())
        finally:
            connection.close()

    def post(self, path, body=None, **more):
        return self.request("POST", path, body, **more)

    def get(self, path, **more):
        return self.request("GET", path, **more)

    def access_log(self):
        return "".join(p.read_text() for p in self.dir.glob("*access.log"))

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=30)
        self.faults.close()
        shutil.rmtree(self.dir, ignore_errors=True)


class Nginx(WebServer):
    def configure(self):
        (self.dir / "example.conf").write_text(self.example("nginx-example.conf", "/var/log/nginx"))
        temporary = "".join(f"{n}_temp_path {self.dir}/{n};\n" for n in ("client_body", "fastcgi", "proxy", "scgi", "uwsgi"))
        user = "user www-data;\n" if AS_ROOT else ""
        (self.dir / "nginx.conf").write_text(
            f"{user}daemon off;\nworker_processes 1;\npid {self.dir}/pid;\nerror_log {self.dir}/error.log;\n"
            f"events {{ worker_connections 1024; }}\nhttp {{\n{temporary}include {self.dir}/example.conf;\n}}\n")
        return [shutil.which("nginx") or "/usr/sbin/nginx", "-e", f"{self.dir}/error.log", "-c", f"{self.dir}/nginx.conf"]


class Apache(WebServer):
    def configure(self):
        modules = "".join(f"LoadModule {m}_module /usr/lib/apache2/modules/mod_{m}.so\n"
                          for m in ("mpm_event", "authz_core", "setenvif", "proxy", "proxy_fcgi"))
        user = "User www-data\nGroup www-data\n" if AS_ROOT else ""
        text = self.example("apache-example.conf", "${APACHE_LOG_DIR}").replace("*:8080", "*")
        (self.dir / "apache.conf").write_text(
            f"{modules}{user}ServerName localhost\nPidFile {self.dir}/pid\nErrorLog {self.dir}/error.log\n"
            f"DefaultRuntimeDir {self.dir}\nMutex file:{self.dir} default\n{text}")
        return ["/usr/sbin/apache2", "-D", "FOREGROUND", "-f", str(self.dir / "apache.conf")]


def whole_answer_of(peer):
    """Status, headers and JSON of the next answer over a FastCGI connection, which may stay open."""
    output, kind = b"", None
    with peer.makefile("rb") as stream:
        while kind != 3:  # the end of the request
            header = stream.read(8)
            if not header:
                raise ConnectionError("closed without an answer")
            kind, length, padding = header[1], int.from_bytes(header[4:6], "big"), header[6]
            content = stream.read(length + padding)[:length]
            output += content if kind == 6 else b""
    head, _, body = output.partition(b"\r\n\r\n")
    return int(head.split()[1]), email.message_from_bytes(head + b"\r\n\r\n"), json.loads(body) if body else None


def answer_of(peer):
    """The same without the headers."""
    status, _, body = whole_answer_of(peer)
    return status, body


def fastcgi_octets(path, method="GET", body=b"", finish=True, keep=False, role=1, **parameters):
    """A FastCGI request of our own; keep: the connection is to stay open afterwards. A parameter whose
    value is a list is sent that often, one that is None not at all."""
    def record(kind, content):
        return struct.pack("!BBHHBB", 1, kind, 1, len(content), 0, 0) + content

    def pair(name, value):
        name, value = name.encode(), value if isinstance(value, bytes) else value.encode()
        lengths = b"".join(struct.pack("!B", n) if n < 128 else struct.pack("!I", n | 1 << 31) for n in (len(name), len(value)))
        return lengths + name + value

    values = {"REQUEST_METHOD": method, "PATH_INFO": path, "SCRIPT_NAME": "/api/auth", "REMOTE_ADDR": "127.0.0.1",
              "CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(body)), **parameters}
    pairs = [pair(k, v) for k, given in values.items() if given is not None
             for v in (given if isinstance(given, list) else [given])]
    return (record(1, struct.pack("!HB5x", role, keep)) + record(4, b"".join(pairs)) + record(4, b"")
            + b"".join(record(5, body[at:at + 65528]) for at in range(0, len(body), 65528)) + (record(5, b"") if finish else b""))


def is_read(peer):
    """Whether the service has taken all that was sent over the connection: it has been accepted, then."""
    return struct.unpack("i", fcntl.ioctl(peer, termios.TIOCOUTQ, b"\0" * 4)) == (0,)


def fastcgi(service, path, *arguments, **parameters):
    """Sends one over the service's socket: the socket after sending."""
    peer = socket.socket(socket.AF_UNIX)
    peer.settimeout(15)
    peer.connect(service.socket)
    peer.sendall(fastcgi_octets(path, *arguments, **parameters))
    return peer
