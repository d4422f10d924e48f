# SPDX-License-Identifier: MIT
"""A run that is interrupted leaves no process and no file behind (guard.py)."""
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import guard
from harness import wait_until

HERE = Path(__file__).resolve().parent

RUN = f"""
import os, sys, time
sys.path.insert(0, {str(HERE)!r})
import guard
guard.enter()
print(os.environ[guard.FOLDER], *guard.family(), flush=True)
from harness import Apache, Cluster, Nginx, Service
service = Service(Cluster())
webs = Nginx(service), Apache(service)
print("all is up", flush=True)
time.sleep(600)
"""

STARTED = {"alone": [sys.executable, "-c", RUN],
           "by a script": ["bash", "-c", f'{guard.PARENT}=$$ "$@"; true', "script", sys.executable, "-c", RUN]}


@pytest.fixture
def adopts():
    """Orphans become children of this process for a while, and are seen."""
    guard.libc.prctl(guard.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    before = set(guard.descendants())
    yield lambda: {p: n for p, n in guard.descendants().items() if p not in before}
    guard.libc.prctl(guard.PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


def begin(started, folders):
    environment = {k: v for k, v in os.environ.items() if k != guard.FOLDER}
    run = subprocess.Popen(STARTED[started], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                           text=True, start_new_session=True, env=environment)
    folder, *family = run.stdout.readline().split()
    folders.append(Path(folder))
    return run, [int(process) for process in family]


@pytest.mark.parametrize("how", ["INT", "TERM", "HUP", "KILL the first", "KILL the second", "KILL the run", "KILL the group",
                                 "KILL the script"])
def test_nothing_is_left(adopts, how):
    folders = []
    word, _, whom = how.partition(" ")
    number = signal.Signals[f"SIG{word}"]
    for up in (False, True) if how in ("TERM", "KILL the group") else (True,):
        run, family = begin("by a script" if whom == "the script" else "alone", folders)
        targets = {"": family[0], "the first": family[0], "the second": family[1], "the run": family[2], "the script": run.pid}
        assert folders[-1].is_dir()
        if up:
            assert run.stdout.readline() == "all is up\n"
            assert {"nginx", "apache2", "postgres", "latchkey-worker"} <= set(adopts().values())
        else:
            time.sleep(0.3)  # in the middle of initdb
        if whom == "the group":
            os.killpg(run.pid, number)
        else:
            os.kill(targets[whom], number)
        assert run.wait(timeout=60) != 0 or whom == "the script"
        wait_until(lambda: not adopts(), timeout=60)
        wait_until(lambda: not folders[-1].exists())
    assert not any(folder.exists() for folder in folders)


def test_the_run_says_how_it_ended(adopts):
    for code in (0, 3):
        script = f"import sys; sys.path.insert(0, {str(HERE)!r}); import guard; guard.enter(); sys.exit({code})"
        environment = {k: v for k, v in os.environ.items() if k != guard.FOLDER}
        assert subprocess.run([sys.executable, "-c", script], env=environment).returncode == code
    assert not adopts()
