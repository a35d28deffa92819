"""A sighting: where and when one report says it happened, ready to be compared, and the keys of its index."""

from datetime import datetime
from math import cos, floor, hypot, radians
from typing import NamedTuple

from linkage.agents.information.roads import named, roads
from linkage.events.base import Place

ReportKey = tuple[str, str]
"""(sender, message id)"""

METRES_PER_DEGREE = 111_195.0
CELL_DEGREES = 0.006
"""667 m from south to north, from west to east more than CELL_REACH_M below 52 degrees: nine cells reach that far."""


class Sighting(NamedTuple):
    report: ReportKey
    kind: str
    occurred_at: datetime
    township: str | None
    village: str
    """"": not known"""
    group: str | None
    words: str
    latitude: float | None
    longitude: float | None
    accuracy_m: float

    @property
    def named(self) -> tuple[str, ...]:
        return named(self.words)

    @property
    def roads(self) -> tuple[str, ...]:
        return roads(self.words)

    @property
    def address(self) -> str:
        """One address, one text: the village, or all roads in one order."""
        return self.village or " & ".join(self.named)


def sighting_of(report: ReportKey, kind: str, place: Place, occurred_at: datetime) -> Sighting:
    village = place.village or (place.group or "")[:12]
    at = (place.latitude, place.longitude) if None not in (place.latitude, place.longitude) else (None, None)
    accuracy_m = place.accuracy_m or 0.0
    return Sighting(report, kind, occurred_at, place.hub, village, place.group, place.words, *at, accuracy_m)


def metres_between(one: Sighting, other: Sighting) -> int | None:
    """Whole metres, on a plane: good to a percent within a county; None when a point is missing."""
    if one.latitude is None or other.latitude is None or one.longitude is None or other.longitude is None:
        return None
    east = (one.longitude - other.longitude) * cos(radians((one.latitude + other.latitude) / 2))
    return round(hypot(one.latitude - other.latitude, east) * METRES_PER_DEGREE)


def keys_of(one: Sighting) -> tuple[str, ...]:
    """Under which keys an incident with this sighting is found; a few, whatever the county's size."""
    keys = [f"road {road}" for road in one.roads]
    if one.village:
        keys.append(f"village {one.village}")
    elif not keys:
        keys.append(f"words {one.words}")
    if (cell := _cell(one)) is not None:
        keys.append(f"cell {cell[0]} {cell[1]}")
    return tuple(keys)


def keys_to_search(one: Sighting) -> tuple[str, ...]:
    """The keys under which everything stands that could be the same place: its own, and the cells around."""
    if (cell := _cell(one)) is None:
        return keys_of(one)
    around = (f"cell {cell[0] + north} {cell[1] + east}" for north in (-1, 0, 1) for east in (-1, 0, 1))
    return (*keys_of(one)[:-1], *around)


def _cell(one: Sighting) -> tuple[int, int] | None:
    if one.latitude is None or one.longitude is None:
        return None
    return floor(one.latitude / CELL_DEGREES), floor(one.longitude / CELL_DEGREES)
