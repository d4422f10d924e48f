# SPDX-License-Identifier: MIT
"""Two programs by turns: each figure of the one beside that of the other a moment later, for a machine is not the
same from one minute to the next. Each has a database of its own, made by its own migrations."""
import json
import re
import statistics
import time

import world
from report import number
from world import load

TURNS = 6


class Known(world.BenchService):
    """A program of another version may not know each setting."""

    def write(self):
        while True:
            super().write()
            unknown = re.search(r"unknown key (\w+\.\w+)", self.command("config").stderr)
            if not unknown:
                return
            del self.settings[unknown.group(1)]


class Side:
    """One of the two: a service, the nginx before it, and people in its database."""

    def __init__(self, cluster, binary):
        self.service = world.service(cluster, type("Other", (Known,), {"binary": binary}))
        self.web = world.BenchNginx(self.service)
        self.emails, self.sessions = world.people(self.web, 32)

    def close(self):
        self.web.close()
        self.service.close()


def rate(requests):
    def measure(side, seconds, turn):
        result = load(side.web, requests(side, turn), seconds)
        assert result["refused"] == 0 and result["lost"] == 0, result
        return result["rate"]
    return "1/s", True, measure


def p99_of_health(side, seconds, turn):
    with world.Stalled(side.service):
        return load(side.web, world.health_requests(), seconds, connections=4)["p99"]


def p999_of_me(side, seconds, turn):
    return load(side.web, world.mixed_requests(side.emails, side.sessions), seconds)["me"]["p999"]


def p99_in_a_flood(side, seconds, turn):
    logins = world.Load(side.web, world.login_requests(side.emails), seconds + 2, connections=64)
    time.sleep(1)
    p99 = load(side.web, world.me_requests(side.sessions), seconds, connections=4)["p99"]
    logins.result()
    return p99


def rate_beside_noise(side, seconds, turn):
    with world.Noise():
        return load(side.web, world.me_requests(side.sessions), seconds)["rate"]


def memory(side, seconds, turn):
    time.sleep(2)  # until the memory of the hashes is back with the kernel
    return world.pss(side.service)


FIGURES = {
    "me": rate(lambda side, turn: world.me_requests(side.sessions)),
    "refresh": rate(lambda side, turn: world.refresh_requests(side.sessions)),
    "login": rate(lambda side, turn: world.login_requests(side.emails)),
    "register": rate(lambda side, turn: world.register_requests(f"t{turn}x")),
    "health": rate(lambda side, turn: world.health_requests()),
    "flood_me_p99": ("ms", False, p99_in_a_flood),
    "mixed_p999": ("ms", False, p999_of_me),
    "stalled_peers": ("ms", False, p99_of_health),
    "noisy_me": ("1/s", True, rate_beside_noise),
    "memory": ("MiB", False, memory),
}

HOW = f"""
ratio     of the first program's figure to the second's, median of {TURNS} turns
spread    the least and the greatest ratio of a turn: where 1 lies between them, no difference was found
"""


def turns(sides, measure, seconds):
    """What was measured of the first and of the second side, turn by turn; each begins every other."""
    for side in sides:
        measure(side, 1, "first")  # caches fill, statements are prepared
    for turn in range(TURNS):
        order = sides if turn % 2 == 0 else sides[::-1]
        found = {side: measure(side, seconds, turn) for side in order}
        yield tuple(found[side] for side in sides)


def compare(cluster, binaries, names, seconds, as_json):
    line = "{:<16} {:>10} {:>10} {:<5} {:>7}  {:<15} {}"
    sides = [Side(cluster, binary) for binary in binaries]
    if not as_json:
        print(line.format("figure", "first", "second", "unit", "ratio", "spread", "better is"))
    for name in names:
        unit, more, measure = FIGURES[name]
        pairs = list(turns(sides, measure, seconds))
        first, second = (statistics.median(column) for column in zip(*pairs))
        ratios = sorted(a / b for a, b in pairs)
        ratio, least, greatest = statistics.median(ratios), ratios[0], ratios[-1]
        if as_json:
            print(json.dumps({"figure": name, "first": first, "second": second, "unit": unit, "ratio": ratio, "least": least,
                              "greatest": greatest, "better": "more" if more else "less"}), flush=True)
        else:
            print(line.format(name, number(first), number(second), unit, f"{ratio:.3f}", f"{least:.3f} to {greatest:.3f}",
                              "more" if more else "less"), flush=True)
    if not as_json:
        print(HOW)
    for side in sides:
        side.close()
