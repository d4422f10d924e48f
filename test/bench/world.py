# SPDX-License-Identifier: MIT
"""What the benchmark measures with: a PostgreSQL that keeps what it acknowledges, the service and a libfcgi
program behind the same nginx, wrk, pgbench, and the processor time of the whole machine."""
import json
import math
import os
import re
import resource
import select
import shutil
import socket
import subprocess
import sys
import threading
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "blackbox"), str(HERE.parent.parent / "src")]
sys.dont_write_bytecode = True

import guard  # noqa: E402

guard.enter()  # whatever is started, and each file, ends with the run

import harness  # noqa: E402
from harness import Cluster, Nginx, Service, answer_of, demote, fastcgi_octets, folder, wait_until  # noqa: E402
from statements import Statement  # noqa: E402

BUILD = Path(os.environ["LATCHKEY_BENCH_BUILD"])
CORES = len(os.sched_getaffinity(0))
WORKERS = max(2, CORES)  # as http.workers = auto
CONNECTIONS = 16


class DurableCluster(Cluster):
    def start(self):
        options = (f"-c listen_addresses='' -c unix_socket_directories={self.dir} -c max_connections=100 "
                   "-c shared_buffers=512MB -c max_wal_size=4GB")
        self.run("pg_ctl", "-D", f"{self.dir}/data", "-w", "-l", f"{self.dir}/log", "-o", options, "start")


class BenchService(Service):
    """In a session of its own, as the services of a machine are: the kernel shares processor time between sessions."""

    def argv(self, *arguments):
        return ["setsid", *super().argv(*arguments)]

    def close(self):
        super().close()
        complain()


def complain():
    """No figure is made by a service of which something has died."""
    found = harness.faults.new()
    assert not found, found


def service(cluster, kind=BenchService, **settings):
    return kind(cluster, **{"http__workers": WORKERS, "passwords__memory": 19456, "passwords__slots": CORES,
                            "log__level": "warning", **settings})


class BenchNginx(Nginx):
    """The example's configuration with a process for each core and without its access log."""

    def __init__(self, service, kept=True):
        self.kept = kept
        super().__init__(service)

    def configure(self):
        command = super().configure()
        path = self.dir / "nginx.conf"
        text = path.read_text().replace("worker_processes 1;", f"worker_processes {CORES};")
        path.write_text(text.replace("http {", "http {\nkeepalive_requests 1000000000;"))
        example = self.dir / "example.conf"
        text = re.sub(r"access_log .*;", "access_log off;", example.read_text())
        example.write_text(text if self.kept else re.sub(r"keepalive \d+;|fastcgi_keep_conn on;", "", text))
        return ["setsid", *command]


class Hello:
    """The libfcgi program in the service's place. A kept connection binds one of its processes, so it gets one for each."""

    def __init__(self, kept):
        self.dir = folder()
        self.socket = str(self.dir / "sock")
        processes = 2 * CONNECTIONS if kept else WORKERS
        self.process = subprocess.Popen([str(BUILD / "test/bench/hello"), self.socket, str(processes)], start_new_session=True)
        wait_until(lambda: os.path.exists(self.socket))
        self.nginx = BenchNginx(self, kept)

    def close(self):
        self.nginx.close()
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)


def busy_seconds():
    """Processor time that the machine has spent on anything."""
    fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    user, nice, system, _, _, irq, softirq = map(int, fields[:7])
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")


def lua(value):
    if isinstance(value, dict):
        return "{" + ",".join(f"{k}={lua(v)}" if k.isidentifier() else f"[{lua(k)}]={lua(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "{" + ",".join(map(lua, value)) + "}"
    return json.dumps(value)


class Load:
    """wrk, started at once; result() waits for its end."""

    def __init__(self, web, requests, seconds, connections=CONNECTIONS, statuses=False):
        self.path = web.dir / f"requests-{id(self)}.lua"
        self.path.write_text("return " + lua(requests) + "\n")
        self.kinds = [kind["name"] for kind in requests.get("kinds", [])]
        threads = connections if self.kinds else min(2, connections)
        self.busy, self.seconds = busy_seconds(), seconds
        self.process = subprocess.Popen(
            ["wrk", f"-t{threads}", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s", "-s", str(HERE / "load.lua"),
             web.url, "--", str(self.path)], stdout=subprocess.PIPE, text=True, start_new_session=True,
            env={**os.environ, **({"LOAD_STATUSES": "1"} if statuses else {}), **({"LOAD_KINDS": "1"} if self.kinds else {})})

    def result(self):
        output = self.process.communicate()[0]
        found = re.search(r"^LOAD (.*)$", output, re.M)
        assert found, output
        result = json.loads(found.group(1))
        result["good"] = result["requests"] - result["refused"]
        result["rate"] = result["good"] / result["seconds"]
        result["busy"] = (busy_seconds() - self.busy) / max(result["requests"], 1)
        for number, name in enumerate(self.kinds, 1):
            buckets = {int(place.split()[1]): count for place, count in result["seen"].items() if place.startswith(f"{number} ")}
            result[name] = {"requests": sum(buckets.values()),
                            **{f"p{words}": percentile(buckets, share) for words, share in (("50", .5), ("99", .99), ("999", .999))}}
        return result


def percentile(buckets, share):
    """Milliseconds, of a histogram whose bucket n begins at e^(n/50) us."""
    left = share * sum(buckets.values())
    for bucket in sorted(buckets):
        left -= buckets[bucket]
        if left <= 0:
            return math.exp((bucket + 1) / 50) / 1000
    return math.nan


def load(web, requests, seconds, **more):
    return Load(web, requests, seconds, **more).result()


def post(path, bodies):
    return {"method": "POST", "path": path, "headers": {"Content-Type": "application/json"},
            "requests": [{"body": json.dumps(b)} for b in bodies]}


def register_requests(tag):
    return {"method": "POST", "path": "/api/auth/register", "headers": {"Content-Type": "application/json"}, "unique": tag,
            "body": json.dumps({"email": "@@@example.com", "password": PASSWORD, "full_name": "Jane Doe"})}


def login_requests(emails):
    return post("/api/auth/login", [{"email": e, "password": PASSWORD} for e in emails])


def refresh_requests(sessions):
    return post("/api/auth/refresh", [{"refresh_token": s["refresh_token"]} for s in sessions])


def me_requests(sessions):
    return {"method": "GET", "path": "/api/auth/me",
            "requests": [{"headers": {"Authorization": "Bearer " + s["access_token"]}} for s in sessions]}


def health_requests():
    return {"method": "GET", "path": "/api/auth/health", "requests": [{}]}


def mixed_requests(emails, sessions, me=16, refresh=3, login=1):
    """In twenty, so many of each."""
    kinds = {"me": (me, me_requests(sessions)), "refresh": (refresh, refresh_requests(sessions)), "login": (login, login_requests(emails))}
    return {"kinds": [{"name": name, "weight": weight, **one} for name, (weight, one) in kinds.items() if weight]}


PASSWORD = "correct horse 77"


def people(web, count):
    """Accounts and one session of each."""
    emails = [f"person{i}@example.com" for i in range(count)]
    for email in emails:
        answer = web.post("/api/auth/register", {"email": email, "password": PASSWORD, "full_name": "Jane Doe"})
        assert answer.status == 201, answer
    return emails, log_in(web, emails)


def log_in(web, emails):
    sessions = []
    for email in emails:
        answer = web.post("/api/auth/login", {"email": email, "password": PASSWORD})
        assert answer.status == 200, answer
        sessions.append(answer.json)
    return sessions


def pgbench(cluster, database, statement, binds, seconds):
    """A statement of sql/queries/ as the service runs it, prepared: (rate, processor time of one)."""
    text = Statement(HERE.parent.parent / "sql" / "queries" / f"{statement}.sql").sql.replace("\n", " ")
    place = folder()
    (place / "script.sql").write_text(re.sub(r"\$(\d+)", r":p\1", text) + ";\n")
    busy = busy_seconds()
    output = subprocess.run(
        demote("postgres") + [f"{cluster.bin}/pgbench", "-n", "-M", "prepared", "-f", str(place / "script.sql"),
                              *[f"-Dp{i}={value}" for i, value in enumerate(binds, 1)], "-c", str(WORKERS), "-j", str(CORES),
                              "-T", str(seconds), "-h", str(cluster.dir), "-U", "postgres", database],
        check=True, capture_output=True, text=True, cwd=place).stdout
    shutil.rmtree(place, ignore_errors=True)
    done = int(re.search(r"actually processed: (\d+)", output).group(1))
    return float(re.search(r"tps = ([\d.]+)", output).group(1)), (busy_seconds() - busy) / done


class Noise:
    """Somebody else takes each processor for ten milliseconds of every twenty."""

    def __enter__(self):
        self.process = subprocess.Popen([str(BUILD / "test/bench/noise")], start_new_session=True)
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


class Stalled:
    """Peers that send 45 KB of a body of 60 KB and then nothing; who is shown out comes back."""

    OCTETS = fastcgi_octets("/login", "POST", b"x" * 45_000, finish=False, CONTENT_LENGTH="60000")

    def __init__(self, service, count=50):
        self.service, self.count = service, count
        self.over = threading.Event()
        self.peers = []
        self.thread = threading.Thread(target=self.run)

    def begin(self):
        peer = socket.socket(socket.AF_UNIX)
        peer.settimeout(5)
        peer.connect(self.service.socket)
        peer.sendall(self.OCTETS)
        return peer

    def run(self):
        while not self.over.wait(0.05):
            for peer in select.select(self.peers, [], [], 0)[0]:
                peer.close()
                self.peers[self.peers.index(peer)] = self.begin()

    def __enter__(self):
        self.peers = [self.begin() for _ in range(self.count)]
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()
        for peer in self.peers:
            peer.close()


class Idle:
    """Kept connections that have had one answer and say nothing any more."""

    def __init__(self, service, count):
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(count + 500, resource.getrlimit(resource.RLIMIT_NOFILE)[1]),) * 2)
        self.peers = []
        for _ in range(count):
            peer = socket.socket(socket.AF_UNIX)
            peer.settimeout(10)
            peer.connect(service.socket)
            peer.sendall(fastcgi_octets("/health", keep=True))
            assert answer_of(peer)[0] == 200
            self.peers.append(peer)

    def open(self):
        """How many of them the service still keeps."""
        return len(self.peers) - sum(1 for _ in select_readable(self.peers))

    def close(self):
        for peer in self.peers:
            peer.close()


def select_readable(peers):
    poll = select.poll()
    for peer in peers:
        poll.register(peer, select.POLLIN)
    return poll.poll(0)


def pss(service):
    """Proportional set size of all the service's processes, MiB."""
    total = 0
    for process in [service.process.pid, *service.children()]:
        text = Path(f"/proc/{process}/smaps_rollup").read_text()
        total += int(re.search(r"^Pss:\s+(\d+)", text, re.M).group(1))
    return total / 1024


def program(name, *arguments):
    """Lines "name number" of one of the C programs here."""
    output = subprocess.check_output([str(BUILD / "test/bench" / name), *map(str, arguments)], text=True)
    return {k: float(v) for k, v in (line.split() for line in output.splitlines())}
