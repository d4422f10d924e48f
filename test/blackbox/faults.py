# SPDX-License-Identifier: MIT
"""What no test may cause unless it says so: a sanitizer's report, anything else on a service's stderr, a child
that dies, a statement that fails. conftest.py asks after each phase of each test what is new, of all services
that run and of those that have been closed meanwhile: what is found fails that test."""
import re
import time
from pathlib import Path

LINE = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z (?P<level>\w+) (?P<role>\w+)\[(?P<process>\d+)\] (?P<event>\w+) (?P<fields>.*)")
EVENTS = {"child_died", "fork_failed", "hasher_failed", "killing", "no_memory", "no_queue", "statement_failed", "worker_failed"}

# what sanitizers, the C library and the compiler's checks print before they end a process
REPORT = re.compile(r"runtime error:|Sanitizer|stack smashing detected|Assertion `|buffer overflow detected|"
                    r"(?:free|malloc|realloc|munmap_chunk)\(\): ")

# said once whatever happens; the stacks are announced to the sanitizer (fiber.c)
HARMLESS = re.compile(r"==\d+==WARNING: ASan doesn't fully support makecontext/swapcontext.*")

# the end of a report, which says nothing without the addresses' meaning
NOISE = re.compile(r"(=>|  )0x[0-9a-f]{12}:( |\[)")

watched = []  # Watch objects of what has not been closed
left = []  # faults of those that have


def new():
    """What has come since the last call, as text; "" where there is nothing."""
    found = [*left, *(fault for watch in watched for fault in watch.new())]
    left.clear()
    return "\n".join(found)


class Tail:
    """What is appended to a file, line by line."""

    def __init__(self, path):
        self.path, self.offset = path, 0

    def lines(self):
        try:
            if self.path.stat().st_size == self.offset:
                return []
            with open(self.path, "rb") as f:
                f.seek(self.offset)
                whole, newline, _ = f.read().rpartition(b"\n")
        except FileNotFoundError:
            return []
        self.offset += len(whole) + len(newline)
        return whole.decode(errors="replace").split("\n") if newline else []


class Watch:
    """Over one folder of logs. Files named *log have lines of the service's own, or of a web server that passes on
    what the service says; sanitizer.* are reports; stderr should be empty."""

    def __init__(self, folder, name, settle=lambda: None):
        self.folder, self.name, self.settle = Path(folder), name, settle
        self.tails, self.expected, self.extra = {}, [], []
        watched.append(self)

    def expect(self, event, count, fields):
        """Lets pass count (None: all) lines of an event whose fields match; "stderr" is the event of its lines."""
        self.expected.append([event, count, re.compile(fields)])

    def is_expected(self, event, fields):
        for one in self.expected:
            if one[0] == event and one[1] != 0 and one[2].search(fields):
                one[1] = one[1] and one[1] - 1
                return True
        return False

    def is_fault(self, path, line):
        found = LINE.match(line)
        if found:
            return found["event"] in EVENTS and not self.is_expected(found["event"], found["fields"])
        if not line.strip() or HARMLESS.fullmatch(line) or NOISE.match(line):
            return False
        if path.name == "stderr" and not REPORT.search(line):
            return not self.is_expected("stderr", line)
        return path.name.startswith("sanitizer") or REPORT.search(line)

    def add(self, fault):
        self.extra.append(f"{self.name}: {fault}")

    def new(self):
        self.settle()
        found, self.extra = self.extra, []
        for path in sorted(self.folder.glob("*")):
            if not path.is_file() or not re.search(r"log$|^stderr$|^out$|^sanitizer", path.name):
                continue
            if path not in self.tails:
                wait_for_report(path)
            tail = self.tails.setdefault(path, Tail(path))
            lines = [line for line in tail.lines() if self.is_fault(path, line)]
            found += [f"{self.name}, {path.name}:", *lines] if lines else []
        return found

    def close(self):
        left.extend(self.new())
        watched.remove(self)


def wait_for_report(path):
    """A process that reports ends afterwards, and its report is whole then."""
    process = path.name.rpartition(".")[2]
    end = time.monotonic() + 5
    while path.name.startswith("sanitizer") and Path(f"/proc/{process}").exists() and time.monotonic() < end:
        time.sleep(0.01)
