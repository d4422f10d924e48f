# SPDX-License-Identifier: MIT
"""What was measured, as a table or as lines of JSON."""
import json


def number(n):
    return "" if n is None else f"{n:.0f}" if n >= 1000 else f"{n:.1f}" if n >= 10 else f"{n:.2f}"


class Report:
    LINE = "{:<20} {:>10} {:<7} {:>8} {:>8} {:>10} {:>7}  {:<8} {}"

    def __init__(self, as_json):
        self.as_json, self.rows = as_json, []

    def add(self, figure, value, unit, limit, target=None, higher=True, p50=None, p99=None, note=""):
        ratio = value / limit if limit else None
        reached = None if target is None or ratio is None else bool(ratio >= target if higher else ratio <= target)
        self.rows.append((figure, value, unit, p50, p99, limit, ratio, target, reached, higher, note))
        if self.as_json:
            print(json.dumps({"figure": figure, "value": round(value, 3), "unit": unit, "limit": round(limit, 3),
                              "ratio": ratio and round(ratio, 3), "target": target, "reached": reached, "note": note}), flush=True)

    def table(self):
        heads = ("figure", "value", "unit", "p50 ms", "p99 ms", "limit", "ratio", "target", "")
        print(self.LINE.format(*heads).rstrip())
        for figure, value, unit, p50, p99, limit, ratio, target, reached, higher, note in self.rows:
            wanted = "" if target is None else ("≥ " if higher else "≤ ") + f"{target:g}"
            verdict = "" if reached is None else "reached" if reached else "NOT REACHED"
            print(self.LINE.format(figure, number(value), unit, number(p50), number(p99), number(limit), number(ratio), wanted,
                                   f"{verdict} {note}".strip()).rstrip())
