#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Whether the time of an answer tells who has an account: alternating tries for an address that has one and for one
that has none, and Welch's t of the two. Beyond 4.5 somebody who measures knows. Nothing else should run meanwhile.

    existence.py [--tries N] [--memory KIB] [--transport directory|smtp] [reset|resend|register|login]...

It prints, for each: medians in milliseconds, t over all tries, and t over those below the 90th percentile of both
together, which a busy machine disturbs less. A hash is cheap here, unless --memory says otherwise: what it costs
would hide the rest. LATCHKEY_BINARY names the program (build/latchkey)."""
import argparse
import http.client
import json
import math
import random
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "blackbox"))
sys.dont_write_bytecode = True

from harness import Cluster, Nginx, Service  # noqa: E402

PASSWORD = "correct horse 77"
KNOWN, UNKNOWN = "known@example.com", "wrong@example.com"


def welch(a, b):
    return (statistics.mean(a) - statistics.mean(b)) / math.sqrt(statistics.variance(a) / len(a) + statistics.variance(b) / len(b))


class Client:
    """One connection that stays open."""

    def __init__(self, web):
        self.connection = http.client.HTTPConnection("127.0.0.1", web.port)

    def post(self, path, body):
        """Status and seconds."""
        octets = json.dumps(body)
        began = time.perf_counter()
        self.connection.request("POST", path, octets, {"Content-Type": "application/json"})
        response = self.connection.getresponse()
        response.read()
        return response.status, time.perf_counter() - began


def register(number, known):
    email = KNOWN if known else f"new{number}@example.com"
    return "/api/auth/register", {"email": email, "password": PASSWORD, "full_name": "Jane Doe"}


TRIES = {
    "reset": lambda number, known: ("/api/auth/password-reset", {"email": KNOWN if known else UNKNOWN}),
    "resend": lambda number, known: ("/api/auth/verify/resend", {"email": KNOWN if known else UNKNOWN}),
    "register": register,
    "login": lambda number, known: ("/api/auth/login", {"username": KNOWN if known else UNKNOWN, "password": "wrong horse 77"}),
}


def measure(client, make, tries):
    times, statuses = {True: [], False: []}, {True: set(), False: set()}
    for number in range(-50, tries // 2):
        for known in random.sample([True, False], 2):
            status, seconds = client.post(*make(number, known))
            statuses[known].add(status)
            if number >= 0:
                times[known].append(seconds * 1000)
    assert statuses[True] == statuses[False], statuses
    return times[True], times[False]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tries", type=int, default=2000)
    parser.add_argument("--memory", type=int, default=1024, help="passwords.memory")
    parser.add_argument("--transport", choices=["directory", "smtp"], default="directory")
    parser.add_argument("what", nargs="*", choices=[[], *TRIES])
    arguments = parser.parse_args()
    settings, sink = {}, None
    if arguments.transport == "smtp":
        from sink import Sink
        sink = Sink()
        settings = {"mail__transport": "smtp", "mail__url": f"smtp://127.0.0.1:{sink.port}", "mail__tls": "off"}
    cluster = Cluster()
    service = Service(cluster, api__reveal_unknown_email="never", log__level="warning", passwords__memory=arguments.memory,
                      **settings)
    web = Nginx(service)
    try:
        client = Client(web)
        assert client.post(*register(0, True))[0] == 201
        for what in arguments.what or TRIES:
            known, unknown = measure(client, TRIES[what], arguments.tries)
            end = statistics.quantiles(known + unknown, n=10)[-1]
            trimmed = welch([t for t in known if t < end], [t for t in unknown if t < end])
            print(f"{what:<10} known {statistics.median(known):7.3f} ms  unknown {statistics.median(unknown):7.3f} ms  "
                  f"t {welch(known, unknown):7.2f}  t below p90 {trimmed:7.2f}", flush=True)
    finally:
        web.close()
        service.close()
        cluster.close()
        if sink:
            sink.stop()


if __name__ == "__main__":
    main()
