"""First reading: which townships there are, where they lie, who is next to whom, which stations answer where."""

import csv
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import combinations, product
from pathlib import Path
from statistics import median

from linkage.edges.montcoalert.rows import (
    NotMontcoalert,
    Row,
    agency_of,
    coordinates,
    kind_of,
    municipality_of,
    station_of,
)

ADJACENCY_FILE = "derived_adjacency.csv"
COUNTY_CODE = "990201"
FIRST_TOWNSHIP_NUMBER = 101
TOWNSHIPS_LIMIT_COUNT = 899 - FIRST_TOWNSHIP_NUMBER
TEAMS_OF_TOWNSHIP_LIMIT_COUNT = 12
CELL_DEGREES = 0.004
"""About 0.4 km: calls of two townships in one such cell, or in two side by side, are close."""
CLOSE_CALLS_NEEDED_COUNT = 3
FAR_AWAY_LIMIT_KM = 100.0
"""A point farther from the middle of all calls was matched to another place of that name."""
KM_PER_DEGREE = 111.2
FALLBACK_ADDRESSES_COUNT = 8
"""A point to which so many different addresses were matched is none of theirs."""
MISPLACED_SHARE = 0.02
"""Of a township's calls, at each edge of its box: points matched to another place of that name."""

Point = tuple[float, float]
Station = tuple[str, str]
"""(agency, station)"""


@dataclass(slots=True)
class Survey:
    """What the rows say together. Filled by `see`, read after `finish`."""

    rows: int = 0
    points: defaultdict[str, list[Point]] = field(default_factory=lambda: defaultdict(list))
    answered: defaultdict[Station, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    station_points: defaultdict[Station, list[Point]] = field(default_factory=lambda: defaultdict(list))
    titles: dict[str, str] = field(default_factory=dict)
    """kind -> the first title that it was seen with"""
    calls: Counter[str] = field(default_factory=Counter)
    addresses_at: defaultdict[Point, set[str]] = field(default_factory=lambda: defaultdict(set))
    """Point -> addresses that were matched to it, as many as FALLBACK_ADDRESSES_COUNT"""

    def see(self, row: Row) -> None:
        self.rows += 1
        if row.cells is None:
            return
        title, desc = row.cells.get("title", ""), row.cells.get("desc", "")
        self.titles.setdefault(kind_of(title), title)
        township = municipality_of(row.cells)
        if township is not None:
            self.calls[township] += 1
        try:
            at = coordinates(row.cells)
        except ValueError:
            at = None
        if at is not None and township is not None:
            self.points[township].append(at)
        if at is not None and len(known := self.addresses_at[at]) < FALLBACK_ADDRESSES_COUNT:
            known.update(_one_address(row.cells.get("addr", "")))
        if (name := station_of(desc)) is not None:
            station = (agency_of(title), name)
            self.answered[station][township or ""] += 1
            if at is not None:
                self.station_points[station].append(at)

    def codes(self) -> dict[str, str]:
        """Township -> code of our own minting, numbered by name. Raises NotMontcoalert."""
        if not self.calls:
            raise NotMontcoalert("no row names a municipality in `twp`: there is no county to make")
        if len(self.calls) > TOWNSHIPS_LIMIT_COUNT:
            raise NotMontcoalert(f"more than {TOWNSHIPS_LIMIT_COUNT} municipalities in `twp`: is the column right?")
        return {name: f"{COUNTY_CODE}{FIRST_TOWNSHIP_NUMBER + n}" for n, name in enumerate(sorted(self.calls))}

    def middle(self) -> Point | None:
        """The median of all calls' points, which a few far ones do not move."""
        return middle_of(point for points in self.points.values() for point in points)

    def fallbacks(self) -> frozenset[Point]:
        """Points that stand for many addresses: where the feed's map puts what it does not find."""
        return frozenset(at for at, known in self.addresses_at.items() if len(known) >= FALLBACK_ADDRESSES_COUNT)

    def extents(self) -> dict[str, tuple[float, float, float, float]]:
        """Township -> (south, west, north, east) of its calls, without the few at each edge that are misplaced."""
        found = {}
        for name, points in self.points.items():
            edge = int(len(points) * MISPLACED_SHARE)
            norths, easts = sorted(at[0] for at in points), sorted(at[1] for at in points)
            last = len(points) - 1 - edge
            found[name] = (norths[edge], easts[edge], norths[last], easts[last])
        return found

    def homes(self) -> dict[str, list[Station]]:
        """Township -> its stations, busiest first; under "" the county's: based outside, or one too many."""
        by_home: defaultdict[str, list[tuple[int, Station]]] = defaultdict(list)
        for station, counts in self.answered.items():
            home, count = min(counts.items(), key=lambda item: (-item[1], item[0]))
            by_home[home].append((-count, station))
        homes: dict[str, list[Station]] = {"": []}
        for home, ranked in sorted(by_home.items()):
            stations = [station for _, station in sorted(ranked)]
            kept = len(stations) if home == "" else TEAMS_OF_TOWNSHIP_LIMIT_COUNT
            homes.setdefault(home, []).extend(stations[:kept])
            homes[""].extend(stations[kept:])
        return homes


def _one_address(address: str) -> Iterator[str]:
    """The address with its roads in one order, so that a crossing named from both ends is one; nothing for none."""
    if roads := sorted(road for part in address.split("&") if (road := part.strip())):
        yield " & ".join(roads)


def survey(rows: Iterable[Row], seen: Callable[[int], None]) -> Survey:
    """Reads every row once; `seen` is told how many so far."""
    found = Survey()
    for row in rows:
        found.see(row)
        seen(found.rows)
    return found


def middle_of(points: Iterable[Point]) -> Point | None:
    """The median point, or None of none."""
    known = list(points)
    return (median(p[0] for p in known), median(p[1] for p in known)) if known else None


def km_between(a: Point, b: Point) -> float:
    """Kilometres, on a plane: good to a percent within a county."""
    east = (a[1] - b[1]) * math.cos(math.radians((a[0] + b[0]) / 2))
    return math.hypot(a[0] - b[0], east) * KM_PER_DEGREE


def read_adjacency(path: Path, townships: Iterable[str]) -> set[tuple[str, str]]:
    """The pairs of a file with the columns a, b that name two of the townships. Raises NotMontcoalert."""
    known = set(townships)
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        if not {"a", "b"} <= set(reader.fieldnames or ()):
            raise NotMontcoalert(f"{path.name}:1: no columns a, b: mend it or take the file away")
        pairs = {tuple(sorted((row["a"] or "", row["b"] or ""))) for row in reader}
    return {(a, b) for a, b in pairs if a != b and {a, b} <= known}


def close_townships(points: dict[str, list[Point]]) -> set[tuple[str, str]]:
    """Pairs of townships with calls close to each other, a few at least: single ones are misplaced calls."""
    cells: defaultdict[tuple[int, int], Counter[str]] = defaultdict(Counter)
    for township, known in points.items():
        for latitude, longitude in set(known):
            cells[int(latitude // CELL_DEGREES), int(longitude // CELL_DEGREES)][township] += 1
    close: Counter[tuple[str, str]] = Counter()
    for (north, east), here in cells.items():
        for a, b in combinations(sorted(here), 2):
            close[a, b] += min(here[a], here[b])
        for step in ((0, 1), (1, -1), (1, 0), (1, 1)):
            there = cells.get((north + step[0], east + step[1]), Counter())
            for a, b in product(here, there):
                if a != b:
                    close[min(a, b), max(a, b)] += min(here[a], there[b])
    return {pair for pair, count in close.items() if count >= CLOSE_CALLS_NEEDED_COUNT}


def joined(pairs: set[tuple[str, str]], middles: dict[str, Point | None]) -> list[tuple[str, str]]:
    """The pairs, and for each township without any the one to the nearest other township (by name, if unknown)."""
    beside = {name for pair in pairs for name in pair}
    found = set(pairs)
    for lonely in sorted(set(middles) - beside):
        others = sorted(name for name in middles if name != lonely)
        if others:
            nearest = min(others, key=lambda other: _distance(middles[lonely], middles[other]))
            found.add((min(lonely, nearest), max(lonely, nearest)))
    return sorted(found)


def _distance(a: Point | None, b: Point | None) -> float:
    return km_between(a, b) if a is not None and b is not None else math.inf
