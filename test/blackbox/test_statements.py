# SPDX-License-Identifier: MIT
import subprocess

from harness import ROOT


def test_signatures_and_plans(cluster):
    name = cluster.create()
    try:
        run = subprocess.run([ROOT / "test" / "statements.py", cluster.url(name)], capture_output=True, text=True)
        assert run.returncode == 0, run.stdout + run.stderr
    finally:
        cluster.drop(name)
