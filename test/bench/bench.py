# SPDX-License-Identifier: MIT
"""What the service does in a second, beside what the parts of this machine could do: each limit is measured in the
same run, so a ratio means something on any machine. Called by test/bench/run."""
import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import time
import urllib.request

import world
from world import CORES, WORKERS, load, program

ROUNDS = 3
PAIRS = 5
USERS = 64

HOW = f"""
requests/s     wrk through nginx, 16 connections, median of {ROUNDS} rounds; {CORES} cores, {WORKERS} workers
limit of login and register: raw Argon2id in as many processes as cores, by the faster of the libraries' plain interfaces
limit of refresh and me: cores / (nginx and a constant answer by libfcgi + the statement in pgbench + the signatures
                         in OpenSSL), each in processor time of the whole machine for one. A libfcgi program answers one
                         request for each connection; _kept: the limit with kept connections, as the service has them, and
                         a process of that program for each. An access token's signature is counted for each me, though
                         the service verifies a token once; _unsigned: the limit without it
the others     value and limit are what the unit says, and lower is better but for growth
"""


class Report:
    def __init__(self, as_json):
        self.as_json, self.rows = as_json, []

    def add(self, figure, value, unit, limit, target=None, higher=True, p50=None, p99=None, note=""):
        ratio = value / limit if limit else None
        reached = None if target is None else bool(ratio >= target if higher else ratio <= target)
        self.rows.append((figure, value, unit, p50, p99, limit, ratio, target, reached, higher, note))
        if self.as_json:
            print(json.dumps({"figure": figure, "value": round(value, 3), "unit": unit, "limit": round(limit, 3),
                              "ratio": round(ratio, 3), "target": target, "reached": reached}), flush=True)

    def table(self):
        line = "{:<20} {:>10} {:<7} {:>8} {:>8} {:>10} {:>7}  {:<8} {}"
        print(line.format("figure", "value", "unit", "p50 ms", "p99 ms", "limit", "ratio", "target", "").rstrip())

        def number(n):
            return "" if n is None else f"{n:.0f}" if n >= 1000 else f"{n:.1f}" if n >= 10 else f"{n:.2f}"
        for figure, value, unit, p50, p99, limit, ratio, target, reached, higher, note in self.rows:
            wanted = "" if target is None else ("≥ " if higher else "≤ ") + f"{target:g}"
            verdict = "" if reached is None else "reached" if reached else "NOT REACHED"
            print(line.format(figure, number(value), unit, number(p50), number(p99), number(limit), f"{ratio:.2f}", wanted,
                              f"{verdict} {note}".strip()).rstrip())
        print(HOW)


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
        bound = []

        def limit():
            settings = self.service.settings
            bound.append(max(program("hashes", settings["passwords.memory"], 2, CORES, 1).values()))
        for figure, requests, target in (
                ("login", lambda i: world.login_requests(self.emails), 0.95),
                ("register", lambda i: world.register_requests(f"r{i}x"), None)):
            say(figure)
            bound.clear()
            limit()
            load(self.web, requests(9), 1)
            rounds = []
            for i in range(ROUNDS):
                rounds.append(load(self.web, requests(i), self.seconds))
                limit()
            clean(rounds)
            self.report.add(figure, median(rounds, "rate"), "1/s", statistics.median(bound), target,
                            p50=median(rounds, "p50"), p99=median(rounds, "p99"))

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
                                            ("refresh_kept", "refresh", (kept, statement, signed), None),
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

    def memory(self):
        say("memory, over a million requests")
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
        before, done = world.pss(service), 0
        while done < 1_000_000:
            done += clean([load(web, world.me_requests(sessions), 10)])[0]["requests"]
        self.report.add("memory_flat", world.pss(service), "MiB", before, 1.02, higher=False)
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
        say("a million users and five million sessions")
        sizes = [self.fill(1000, 5), self.fill(1_000_000, 5)]
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
        say("a million expired rows")

        def p99():
            return load(web, world.refresh_requests(sessions), self.seconds, connections=4)["p99"]
        service.query("UPDATE sessions SET expires_at = now() - interval '1 day' WHERE ctid IN "
                      "(SELECT ctid FROM sessions WHERE user_pk > 2000 LIMIT 1000000)")
        service.query("VACUUM ANALYZE sessions")  # else autovacuum is measured too
        service.query("CHECKPOINT")
        service.stop()
        service.start()  # its courier purges when it starts
        expired = "SELECT count(*) FROM sessions WHERE expires_at <= now()"
        courier, before, rest, during = max(service.children()), service.query(expired)[0][0], [], []
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


PARTS = ("hashes", "composites", "flood", "memory", "cold_start", "rotation", "growth")


def main():
    parser = argparse.ArgumentParser(prog="test/bench/run", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one object a line for each figure, instead of the table")
    parser.add_argument("--seconds", type=int, default=3, help="length of a round (%(default)s)")
    parser.add_argument("part", nargs="*", choices=[[], *PARTS], help="only these: %(choices)s")
    arguments = parser.parse_args()
    report = Report(arguments.json)
    bench = Bench(report, arguments.seconds)
    try:
        for part in arguments.part or PARTS:
            getattr(bench, part)()
    finally:
        bench.close()
    if not arguments.json:
        report.table()


if __name__ == "__main__":
    main()
