"""Checks what `linkage replay accounted --csv` wrote, and imports nothing of linkage.

`python -I -S tests/accounted_check.py CSV [--expected REPORTS] [--refused-percent 5]`: prints what it counted as one
JSON line; exit code 1 and one line for each thing that is wrong. REPORTS: JSON lines, an `id` in each.
"""

import argparse
import csv
import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

COLUMNS = ["report_id", "outcome", "incident_id", "reason"]
WITH_INCIDENT = {"opened", "merged", "linked"}
WITH_REASON = {"merged", "linked", "unplaced", "refused", "repeated"}
OUTCOMES = WITH_INCIDENT | WITH_REASON
SHOWN_LIMIT_COUNT = 20

Row = Mapping[str, str]


def wrong(rows: Sequence[Row], expected: Sequence[str] | None, refused_percent: float) -> Iterator[str]:
    """What must not be, in the order of the rows; then of the whole."""
    opened: set[str] = set()
    for row in rows:
        outcome, incident, where = row["outcome"], row["incident_id"], f"{row['report_id']} {row['outcome']}"
        if outcome not in OUTCOMES:
            yield f"{where}: no such outcome"
        if outcome in WITH_INCIDENT and not incident:
            yield f"{where}: no incident"
        if outcome in WITH_REASON and not row["reason"]:
            yield f"{where}: no reason"
        if outcome in ("merged", "linked") and incident not in opened:
            yield f"{where}: {incident} was not opened before"
        if outcome == "opened":
            if incident in opened:
                yield f"{where}: {incident} was opened before"
            opened.add(incident)
    yield from _wrong_ids(rows, expected)
    refused = sum(row["outcome"] == "refused" for row in rows)
    if refused * 100 > refused_percent * len(rows):
        yield f"{refused} of {len(rows)} are refused, more than {refused_percent:g} %"


def _wrong_ids(rows: Sequence[Row], expected: Sequence[str] | None) -> Iterator[str]:
    times = Counter(row["report_id"] for row in rows if row["outcome"] != "repeated")
    for report_id, count in times.items():
        if count > 1:
            yield f"{report_id}: {count} rows that are no repetition"
    if expected is not None:
        for report_id in sorted(set(expected) - times.keys()):
            yield f"{report_id}: no row"
        for report_id in sorted(times.keys() - set(expected)):
            yield f"{report_id}: nobody sent it"


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("csv", type=Path)
    parser.add_argument("--expected", type=Path)
    parser.add_argument("--refused-percent", type=float, default=5.0)
    asked = parser.parse_args()
    with asked.csv.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        rows = list(reader)
    if reader.fieldnames != COLUMNS:
        print(f"columns are {reader.fieldnames}, must be {COLUMNS}")
        return 1
    expected = None
    if asked.expected is not None:
        expected = [json.loads(line)["id"] for line in asked.expected.read_text(encoding="utf-8").splitlines()]
    found = list(wrong(rows, expected, asked.refused_percent))
    for line in found[:SHOWN_LIMIT_COUNT]:
        print(line)
    outcomes = Counter(row["outcome"] for row in rows)
    distinct = len({row["report_id"] for row in rows})
    print(json.dumps({"rows": len(rows), "distinct": distinct, **dict(sorted(outcomes.items())), "wrong": len(found)}))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
