#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Holds the documents against the tables: settings, outcomes and commands.

    documented.py BINARY            says what differs
    documented.py BINARY --write    writes deploy/latchkey.conf.example anew
"""
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
binary, write = sys.argv[1], "--write" in sys.argv
readme = (ROOT / "README.md").read_text()
example = ROOT / "deploy" / "latchkey.conf.example"
sample = subprocess.run([binary, "config", "--sample"], check=True, capture_output=True, text=True).stdout
usage = subprocess.run([binary, "help"], check=True, capture_output=True, text=True).stdout
table = (ROOT / "include/base/settings.def").read_text()
outcomes = (ROOT / "include/operations/outcomes.def").read_text()
if write:
    example.write_text(sample)

wrong = []
settings = re.findall(r'^(?:STRING|SECRET|INTEGER|DURATION|CHOICE|RATE)\((\w+), (\w+), .*"([^"]*)"\)$', table, re.M)
for section, key, description in settings:
    if not description:
        wrong.append(f"{section}.{key} has no description")
    if f"`{section}.{key}`" not in readme:
        wrong.append(f"{section}.{key} is not in README.md")
if not example.exists() or example.read_text() != sample:
    wrong.append("deploy/latchkey.conf.example is not what latchkey config --sample prints: documented.py BINARY --write")
for code in re.findall(r'OUTCOME\(\w+, \d+, "(\w+)"', outcomes):
    if code != "ok" and f"`{code}`" not in readme:
        wrong.append(f"the code {code} is not in README.md")
for command in re.findall(r"^  (latchkey \w+(?: new)?)", usage, re.M):
    if command not in readme:
        wrong.append(f"{command} is not in README.md")
print("\n".join(wrong + [f"documented: {len(settings)} settings, {len(wrong)} wrong"]))
sys.exit(bool(wrong))
