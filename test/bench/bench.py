# SPDX-License-Identifier: MIT
"""What the service does in a second, beside what the parts of this machine could do: each limit is measured in the
same run, so a ratio means something on any machine. Called by test/bench/run."""
import argparse
import os
import signal
import statistics
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import world  # first: it makes the run one that leaves nothing behind
import against
from report import Report
from world import CORES, WORKERS, load, program

ROUNDS = 3
PAIRS = 5
USERS = 64
LIMIT = 540  # seconds; whatever has not been measured by then is left out

HOW = f"""
requests/s     wrk through nginx, 16 connections, median of {ROUNDS} rounds; {CORES} cores, {WORKERS} workers
limit of login and register: raw Argon2id in as many processes as cores, by the faster of the libraries' plain interfaces;
                         login_bare: by a hasher's own loop with nothing around it, in memory that stays
limit of refresh and me: cores / (nginx and a constant answer by libfcgi + the statement in pgbench + the signatures
                         in OpenSSL), each in processor time of the whole machine for one. A libfcgi program answers one
                         request for each connection; _kept: the limit with kept connections, as the service has them, and
                         a process of that program for each. An access token's signature is counted for each me, though
                         the service verifies a token once; _unsigned: the limit without it
mixed_p999     of me among 80 % me, 15 % refresh and 5 % login, beside its own alone
stalled_peers  p99 of health beside 50 peers that have stopped at 45 KB of a body, and without them
noisy          beside a process that takes each processor for 10 ms of every 20, and without it
login_unknown  how long a refusal takes for an e-mail that has an account, and for one that has none: medians, by turns
the others     value and limit are what the unit says, and lower is better but for growth
"""


class TimeIsUp(Exception):
    pass


def say(text):
    print(f"--- {text}", file=sys.stderr, flush=True)


def median(rounds, key):
    return statistics.median(r[key] for r in rounds)


def clean(rounds):
    """No figure is made of answers that were none."""
    for r in rounds:
        assert r["refused"] == 0 and r["lost"] == 0, r
    return rounds


class Bench:
    def __init__(self, report, seconds):
        self.report, self.seconds = report, seconds
        self.cluster = world.DurableCluster()
        self.open = []
        self.service, self.web = self.start()
        self.emails, self.sessions = world.people(self.web, USERS)

    def start(self, **settings):
        service = world.service(self.cluster, **settings)
        self.open.append(service)
        web = world.BenchNginx(service)
        self.open.append(web)
        return service, web

    def stop(self, *what):
        for one in what:
            self.open.remove(one)
            one.close()

    def close(self):
        for one in reversed(self.open):
            one.close()
        self.cluster.close()

    def rounds(self, web, requests, **more):
        load(web, requests(0), 1, **more)
        return clean([load(web, requests(i + 1), self.seconds, **more) for i in range(ROUNDS)])

    # ---------------------------------------------------------------- requests a second
    def hashes(self):
        """login and register against the hash alone, measured around each round."""
        for figure, requests, target in (
                ("login", lambda i: world.login_requests(self.emails), 0.95),
                ("register", lambda i: world.register_requests(f"r{i}x"), None)):
            say(figure)
            load(self.web, requests(9), 1)
            rounds, bounds = [], [self.bounds()]
            for i in range(ROUNDS):
                rounds.append(load(self.web, requests(i), self.seconds))
                bounds.append(self.bounds())
            clean(rounds)
            times = {"p50": median(rounds, "p50"), "p99": median(rounds, "p99")}
            plain = statistics.median(max(rate for name, rate in bound.items() if name != "resident") for bound in bounds)
            self.report.add(figure, median(rounds, "rate"), "1/s", plain, target, **times)
            if figure == "login":
                self.report.add("login_bare", median(rounds, "rate"), "1/s", median(bounds, "resident"), 0.97, **times)

    def bounds(self):
        return program("hashes", self.service.settings["passwords.memory"], 2, CORES, 1)

    def unknown(self):
        say("log-ins of nobody")
        emails = [self.emails[0], "nobody@example.com"]
        times = {email: [] for email in emails}
        for i in range(200):
            for email in emails[::(-1) ** i]:
                started = time.perf_counter()
                answer = self.web.post("/api/auth/login", {"email": email, "password": "wrong password"})
                times[email].append(1000 * (time.perf_counter() - started))
                assert answer.status == 401, answer
        known, nobody = (statistics.median(t) for t in times.values())
        self.report.add("login_unknown", nobody, "ms", known, 1.05, higher=False, note="and not below 0.95")

    def hello(self, kept):
        """Processor time of a constant answer by libfcgi, to each of the two requests."""
        hello = world.Hello(kept)
        get = {"method": "GET", "path": "/api/auth/me", "requests": world.me_requests(self.sessions)["requests"]}
        try:
            return {"me": median(self.rounds(hello.nginx, lambda i: get), "busy"),
                    "refresh": median(self.rounds(hello.nginx, lambda i: world.refresh_requests(self.sessions)), "busy")}
        finally:
            hello.close()

    def composites(self):
        say("the limits of refresh and me")
        single, kept = self.hello(False), self.hello(True)
        user, session = self.service.query("SELECT users.id, sessions.id FROM users JOIN sessions ON user_pk = users.pk LIMIT 1")[0]
        statement = {name: statistics.median(world.pgbench(self.cluster, self.service.database, query, binds, self.seconds)[1]
                                             for _ in range(ROUNDS))
                     for name, query, binds in (("me", "session_user", (user, session)),
                                                ("refresh", "session_refresh", (user, session, 3600)))}
        signatures = program("signatures", 20000)
        signed = {"me": signatures["es256_verify"] / 1e6, "refresh": (signatures["es256_sign"] + signatures["hs256"]) / 1e6}
        ours = {}
        for figure, requests in (("refresh", world.refresh_requests), ("me", world.me_requests)):
            say(figure)
            ours[figure] = self.rounds(self.web, lambda i: requests(self.sessions))
        for name, figure, parts, target in (("refresh", "refresh", (single, statement, signed), 0.85),
                                            ("refresh_kept", "refresh", (kept, statement, signed), 0.9),
                                            ("me", "me", (single, statement, signed), 0.85),
                                            ("me_kept", "me", (kept, statement, signed), None),
                                            ("me_unsigned", "me", (kept, statement), None)):
            costs, rounds = [part[figure] for part in parts], ours[figure]
            note = " + ".join(f"{1e6 * cost:.0f}" for cost in costs) + f" us; ours {1e6 * median(rounds, 'busy'):.0f}"
            self.report.add(name, median(rounds, "rate"), "1/s", CORES / sum(costs), target, p50=median(rounds, "p50"),
                            p99=median(rounds, "p99"), note=note)

    # ---------------------------------------------------------------- under a flood
    def flood(self):
        say("a flood of log-ins")
        for figure, requests in (("flood_refresh_p99", world.refresh_requests), ("flood_me_p99", world.me_requests)):
            rest, flooded = [], []
            for _ in range(ROUNDS):
                time.sleep(2)
                rest.append(load(self.web, requests(self.sessions), self.seconds, connections=4))
                logins = world.Load(self.web, world.login_requests(self.emails), self.seconds + 3, connections=64, statuses=True)
                time.sleep(1.5)
                flooded.append(load(self.web, requests(self.sessions), self.seconds, connections=4))
                surplus = logins.result()
                assert set(surplus["statuses"]) <= {"200", "503"} and surplus["without_retry_after"] == 0, surplus
            clean(rest + flooded)
            self.report.add(figure, median(flooded, "p99"), "ms", median(rest, "p99"), 5, higher=False,
                            p50=median(flooded, "p50"), p99=median(flooded, "p99"))

    def mixed(self):
        say("a mixture")
        figures = []
        for requests in (world.mixed_requests(self.emails, self.sessions), world.mixed_requests(self.emails, self.sessions, 20, 0, 0)):
            rounds = self.rounds(self.web, lambda i: requests)
            figures.append({p: statistics.median(r["me"][p] for r in rounds) for p in ("p50", "p99", "p999")})
        mixed, alone = figures
        self.report.add("mixed_p999", mixed["p999"], "ms", alone["p999"], 5, higher=False, p50=mixed["p50"], p99=mixed["p99"])

    def stalled(self):
        say("peers that stall")
        rest, beside = [], []
        for _ in range(ROUNDS):
            rest.append(load(self.web, world.health_requests(), self.seconds, connections=4))
            with world.Stalled(self.service):
                beside.append(load(self.web, world.health_requests(), self.seconds, connections=4))
        clean(rest + beside)
        self.report.add("stalled_peers", median(beside, "p99"), "ms", median(rest, "p99"), 2, higher=False,
                        p50=median(beside, "p50"), p99=median(beside, "p99"))

    def noisy(self):
        say("a neighbour that takes half of each processor")
        for figure, requests in (("noisy_me", world.me_requests), ("noisy_refresh", world.refresh_requests)):
            rest, beside = [], []
            for _ in range(PAIRS):
                rest.append(load(self.web, requests(self.sessions), self.seconds))
                with world.Noise():
                    beside.append(load(self.web, requests(self.sessions), self.seconds))
            clean(rest + beside)
            rates = [r["rate"] for r in beside]
            self.report.add(figure, statistics.median(rates), "1/s", median(rest, "rate"), 0.45, p50=median(beside, "p50"),
                            p99=median(beside, "p99"), note=f"spread of rounds {max(rates) / min(rates):.2f}, to be below 1.5")

    def idle(self):
        say("a thousand idle connections")
        service, web = self.start()
        rest = world.pss(service)
        connections = world.Idle(service, 1000)
        kept = connections.open()
        self.report.add("idle_connections", world.pss(service), "MiB", 32, 1, higher=False,
                        note=f"{kept} connections; {rest:.1f} MiB without them")
        connections.close()
        self.stop(web, service)

    def memory(self):
        say("memory, over hundreds of thousands of requests")
        service, web = self.start()
        emails, sessions = world.people(web, 16)
        time.sleep(3)  # until the memory of the hashes is back with the kernel
        load(web, world.me_requests(sessions), 2)
        rest = world.pss(service)
        self.report.add("memory_rest", rest, "MiB", 16, 1, higher=False)
        logins = world.Load(web, world.login_requests(emails), self.seconds + 1, connections=64)
        most = 0
        for _ in range(4 * self.seconds):
            time.sleep(0.25)
            most = max(most, world.pss(service))
        logins.result()
        self.report.add("memory_flood", most, "MiB", 1.1 * (rest + CORES * 19), 1, higher=False)
        time.sleep(3)
        before = world.pss(service)
        done = clean([load(web, world.me_requests(sessions), 12)])[0]["requests"]
        self.report.add("memory_flat", world.pss(service), "MiB", before, 1.02, higher=False, note=f"over {done} requests")
        self.stop(web, service)

    def cold_start(self):
        say("cold start")
        service, web = self.start()
        times = []
        for _ in range(5):
            service.stop()
            started = time.perf_counter()
            service.process = subprocess.Popen(service.argv("serve"), env=service.environment, stdin=subprocess.DEVNULL,
                                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            while True:
                try:
                    with urllib.request.urlopen(web.url + "/api/auth/health", timeout=5) as answer:
                        if answer.status == 200:
                            break
                except OSError:
                    time.sleep(0.001)
            times.append(1000 * (time.perf_counter() - started))
        self.report.add("cold_start", statistics.median(times), "ms", 50, 1, higher=False)
        self.stop(web, service)

    # ---------------------------------------------------------------- what the database bears
    def rotation(self):
        say("rotation")
        service, web = self.start(sessions__rotate="always")
        _, sessions = world.people(web, 4)
        counters = ("SELECT pg_current_wal_insert_lsn() - '0/0', n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables "
                    "WHERE relname = 'sessions'")

        def rotate(times):
            for i in range(times):
                answer = web.post("/api/auth/refresh", {"refresh_token": sessions[i % 4]["refresh_token"]})
                assert answer.status == 200, answer
                sessions[i % 4] = answer.json
        _, updated, hot = service.query(counters)[0]
        rotate(40)  # after a checkpoint the first change of a page writes the whole page
        before = service.query(counters)[0][0]
        rotate(1000)
        wal = float(service.query(counters)[0][0] - before)
        self.report.add("rotation_wal", wal / 1000, "octets", 1024, 1, higher=False)
        time.sleep(11)  # a backend that idles reports what it has counted after ten seconds
        _, updated_then, hot_then = service.query(counters)[0]
        self.report.add("rotation_hot", hot_then - hot, "updates", updated_then - updated, 0.99)
        self.stop(web, service)
        before = self.service.query(counters)[0]
        for _ in range(1000):
            assert self.web.post("/api/auth/refresh", {"refresh_token": self.sessions[0]["refresh_token"]}).status == 200
        after = self.service.query(counters)[0]
        self.report.add("refresh_wal", float(after[0] - before[0]) / 1000, "octets", 1024, 0.01, higher=False)

    def growth(self):
        say("200,000 users and a million sessions")
        sizes = [self.fill(1000, 5), self.fill(200_000, 5)]
        kinds = {"refresh": lambda size, i: world.refresh_requests(size["sessions"]),
                 "me": lambda size, i: world.me_requests(size["sessions"]),
                 "login": lambda size, i: world.login_requests(size["emails"]),
                 "register": lambda size, i: world.register_requests(f"g{size['users']}x{i}x")}
        small, large = {}, {}
        for name, requests in kinds.items():
            rates = [[], []]
            for i in range(ROUNDS + 1):  # by turns, for a machine is not the same from one minute to the next
                for rate, size in zip(rates, sizes):
                    rate.append(clean([load(size["web"], requests(size, i), self.seconds if i else 1)])[0]["rate"])
            small[name], large[name] = (statistics.median(rate[1:]) for rate in rates)
        worst = min(large, key=lambda name: large[name] / small[name])
        self.report.add("growth", large[worst], "1/s", small[worst], 0.9,
                        note=", ".join(f"{name} {large[name] / small[name]:.2f}" for name in large))
        self.stop(sizes[0]["web"], sizes[0]["service"])
        self.purge(sizes[1]["service"], sizes[1]["web"], sizes[1]["sessions"])
        self.stop(sizes[1]["web"], sizes[1]["service"])

    def fill(self, users, sessions_each):
        """A service with so many, and hashes so cheap that the database shows."""
        service, web = self.start(passwords__memory=64, passwords__passes=1)
        web.post("/api/auth/register", {"email": "first@example.com", "password": world.PASSWORD, "full_name": "First"})
        service.query(
            "INSERT INTO users (email, full_name, password_hash) SELECT 'user' || n || '@example.com', 'Jane Doe', "
            "(SELECT password_hash FROM users LIMIT 1) FROM generate_series(1, %s) n", users)
        service.query(
            "INSERT INTO sessions (user_pk, id, expires_at) SELECT pk, gen_random_uuid(), now() + random() * interval '30 days' "
            "+ interval '1 day' FROM users, generate_series(1, %s)", sessions_each)
        service.query("VACUUM ANALYZE")
        service.query("CHECKPOINT")
        emails = [f"user{1 + i * (users // 1000)}@example.com" for i in range(1000)]
        return {"users": users, "service": service, "web": web, "emails": emails, "sessions": world.log_in(web, emails)}

    def purge(self, service, web, sessions):
        say("300,000 expired rows")

        def p99():
            return load(web, world.refresh_requests(sessions), self.seconds, connections=4)["p99"]
        service.query("UPDATE sessions SET expires_at = now() - interval '1 day' WHERE ctid IN "
                      "(SELECT ctid FROM sessions WHERE user_pk > 2000 LIMIT 300000)")
        service.query("VACUUM ANALYZE sessions")  # else autovacuum is measured too
        service.query("CHECKPOINT")
        service.stop()
        service.start()  # its courier purges when it starts
        expired = "SELECT count(*) FROM sessions WHERE expires_at <= now()"
        courier, before, rest, during = service.children("courier")[0], service.query(expired)[0][0], [], []
        p99()
        for _ in range(PAIRS):  # by turns, for a machine is not the same from one minute to the next
            during.append(p99())
            os.kill(courier, signal.SIGSTOP)
            rest.append(p99())
            os.kill(courier, signal.SIGCONT)
        purged = before - service.query(expired)[0][0]
        assert purged > 0
        self.report.add("purge", statistics.median(during), "ms", statistics.median(rest), 1.1, higher=False,
                        note=f"{purged / PAIRS / self.seconds:.0f} rows a second")


PARTS = ("hashes", "unknown", "composites", "mixed", "stalled", "noisy", "flood", "memory", "idle", "cold_start", "rotation", "growth")


def measure(arguments, report):
    """Part after part, until the time is up. The guard (test/blackbox/guard.py) ends what is still running then."""
    parts = list(arguments.part or PARTS)
    times = []
    try:
        bench = Bench(report, arguments.seconds)
        while parts:
            began = time.monotonic()
            getattr(bench, parts[0])()
            times.append(f"{parts.pop(0)} {time.monotonic() - began:.0f} s")
        signal.alarm(0)
        bench.close()
        world.complain()
    except TimeIsUp:
        say(f"{LIMIT} s are over: left out {', '.join(parts)}")
    say(", ".join(times))


def time_is_up(*_):
    raise TimeIsUp


def main():
    parser = argparse.ArgumentParser(prog="test/bench/run", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one object a line for each figure, instead of the table")
    parser.add_argument("--seconds", type=int, default=2, help="length of a round (%(default)s)")
    parser.add_argument("--against", metavar="BINARY", help="another latchkey program, to be measured by turns with this one")
    parser.add_argument("--only", metavar="NAMES", default=",".join(against.FIGURES), help="with --against: these of %(default)s")
    parser.add_argument("part", nargs="*", choices=[[], *PARTS], help="only these: %(choices)s")
    arguments = parser.parse_args()
    names = arguments.only.split(",")
    if not set(names) <= set(against.FIGURES):
        parser.error(f"--only takes of {', '.join(against.FIGURES)}")
    signal.signal(signal.SIGALRM, time_is_up)
    signal.alarm(LIMIT)
    if arguments.against:
        try:
            against.compare(world.DurableCluster(), [world.harness.BINARY, Path(arguments.against).resolve()], names,
                            arguments.seconds, arguments.json)
        except TimeIsUp:
            say(f"{LIMIT} s are over")
        return
    report = Report(arguments.json)
    measure(arguments, report)
    if not arguments.json:
        report.table()
        print(HOW)


if __name__ == "__main__":
    main()
