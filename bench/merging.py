"""How well reports are merged, judged by pairs that people labelled. `python -m bench.merging PAIRS ACCOUNTED`.

PAIRS: CSV with the columns pair, stratum, row_a, row_b, label (same, different or cannot_tell); ACCOUNTED: what
`linkage replay accounted --csv` wrote. A pair counts as "same" when both reports stand under one incident: opened or
merged, or linked across a border. Pairs labelled cannot_tell are left out. Imports nothing of linkage.

Rules and thresholds are chosen on the tuning half alone. The held-out half is scored once they are frozen.
"""

import argparse
import csv
import hashlib
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

SPLIT_SEED = "linkage-merge-pairs-1"
"""Committed before anything was tuned; never to be changed."""
REPORT_ID = "montco-{row}"
HALVES = ("tuning", "held-out", "all")
WITH_INCIDENT = ("opened", "merged", "linked")


@dataclass(frozen=True, slots=True)
class Pair:
    """Two source rows and what a person said of them."""

    name: str
    stratum: str
    report_a: str
    report_b: str
    label: str


@dataclass(slots=True)
class Score:
    """Pairs counted. `right_same`: both the person and the engine say same."""

    right_same: int = 0
    wrong_same: int = 0
    missed_same: int = 0
    right_different: int = 0

    def count(self, *, is_same: bool, is_said_same: bool) -> None:
        if is_same:
            self.right_same += is_said_same
            self.missed_same += not is_said_same
        else:
            self.wrong_same += is_said_same
            self.right_different += not is_said_same

    @property
    def precision(self) -> float | None:
        said = self.right_same + self.wrong_same
        return self.right_same / said if said else None

    @property
    def recall(self) -> float | None:
        are = self.right_same + self.missed_same
        return self.right_same / are if are else None


def read_pairs(path: Path) -> list[Pair]:
    with path.open(encoding="utf-8", newline="") as file:
        return [
            Pair(
                row["pair"],
                row["stratum"],
                REPORT_ID.format(row=row["row_a"]),
                REPORT_ID.format(row=row["row_b"]),
                row["label"],
            )
            for row in csv.DictReader(file)
        ]


def half_of(pairs: Sequence[Pair], half: str) -> list[Pair]:
    """Half of each stratum, drawn by the seed and the pairs' names; an odd one out goes to the held-out half."""
    if half == "all":
        return list(pairs)
    strata: defaultdict[str, list[Pair]] = defaultdict(list)
    for pair in sorted(pairs, key=_drawn):
        strata[pair.stratum].append(pair)
    tuning = {pair.name for drawn in strata.values() for pair in drawn[: len(drawn) // 2]}
    return [pair for pair in pairs if (pair.name in tuning) == (half == "tuning")]


def _drawn(pair: Pair) -> bytes:
    return hashlib.blake2b(f"{SPLIT_SEED}:{pair.name}".encode(), digest_size=16).digest()


def read_accounted(path: Path) -> dict[str, str]:
    """Report id -> its incident's id, for every report that has one."""
    with path.open(encoding="utf-8", newline="") as file:
        return {row["report_id"]: row["incident_id"] for row in csv.DictReader(file) if row["outcome"] in WITH_INCIDENT}


def is_said_same(pair: Pair, incidents: Mapping[str, str]) -> bool:
    a, b = incidents.get(pair.report_a), incidents.get(pair.report_b)
    return a is not None and a == b


def scores(pairs: Iterable[Pair], incidents: Mapping[str, str]) -> dict[str, Score]:
    """Stratum -> score, in the order of their names, and under `all` the sum."""
    found: defaultdict[str, Score] = defaultdict(Score)
    for pair in sorted(pairs, key=lambda pair: pair.stratum):
        if pair.label == "cannot_tell":
            continue
        said = is_said_same(pair, incidents)
        for name in (pair.stratum, "all"):
            found[name].count(is_same=pair.label == "same", is_said_same=said)
    return {**{name: score for name, score in found.items() if name != "all"}, "all": found["all"]}


def table(found: Mapping[str, Score]) -> str:
    """A Markdown table."""
    lines = ["| Stratum | Precision | Recall |", "| --- | --- | --- |"]
    for name, score in found.items():
        said, are = score.right_same + score.wrong_same, score.right_same + score.missed_same
        lines.append(
            f"| {name} | {_ratio(score.precision)} ({score.right_same}/{said}) "
            f"| {_ratio(score.recall)} ({score.right_same}/{are}) |"
        )
    return "\n".join(lines)


def _ratio(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def main() -> int:
    parser = argparse.ArgumentParser(description="How well reports are merged, judged by pairs that people labelled.")
    parser.add_argument("pairs", type=Path)
    parser.add_argument("accounted", type=Path)
    parser.add_argument("--half", choices=HALVES, default="all")
    parser.add_argument("--wrong", action="store_true", help="name the pairs on which engine and person differ")
    asked = parser.parse_args()
    pairs = half_of(read_pairs(asked.pairs), asked.half)
    incidents = read_accounted(asked.accounted)
    print(table(scores(pairs, incidents)))
    if asked.wrong:
        for pair in pairs:
            if pair.label != "cannot_tell" and is_said_same(pair, incidents) != (pair.label == "same"):
                print(f"{pair.name} {pair.stratum}: a person says {pair.label}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
