#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Holds the table of src/base/unicode.c against Python's unicodedata: every character that its version
of Unicode knows.

    unicode.py SOURCE
"""
import re
import sys
import unicodedata
from pathlib import Path

REFUSED, TAKEN = ("Cc", "Cf", "Zl", "Zp"), (0x200C, 0x200D)

table = re.search(r"controls\[\] = \{(.*?)\n\};", Path(sys.argv[1]).read_text(), re.S)[1]
ranges = [(int(first, 16), int(last, 16)) for first, last in re.findall(r"\{ 0x(\w+), 0x(\w+) \}", table)]
assert ranges == sorted(ranges) and all(first <= last for first, last in ranges)
assert all(one[1] + 1 < other[0] for one, other in zip(ranges, ranges[1:])), "ranges touch"
listed = {point for first, last in ranges for point in range(first, last + 1)}
wrong = []
for point in range(0x110000):
    category = unicodedata.category(chr(point))
    if category != "Cn" and (point in listed) != (category in REFUSED and point not in TAKEN):
        wrong.append(f"U+{point:04X} is {category}")
print("\n".join(wrong + [f"unicode: {len(listed)} characters, Unicode {unicodedata.unidata_version}, {len(wrong)} wrong"]))
sys.exit(bool(wrong))
