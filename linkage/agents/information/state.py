"""What `information` knows: open incidents, an index of them, closed ones for a while, unplaced reports."""

from dataclasses import dataclass
from datetime import datetime

from immutables import Map

from linkage.agents import deadlines
from linkage.agents.deadlines import Book
from linkage.events.base import Place
from linkage.events.information import ReportUnplaced

ReportKey = tuple[str, str]
"""(sender, message id)"""
PlaceKey = tuple[str, str]
"""(the village, or the words where none is known; kind)"""


@dataclass(frozen=True, slots=True)
class Incident:
    incident_id: str
    kind: str
    place: Place
    last_occurred_at: datetime
    opened_at: datetime
    reports: tuple[ReportKey, ...]


@dataclass(frozen=True, slots=True)
class Closed:
    incident_id: str
    forget_at: datetime
    place_key: PlaceKey
    reports: tuple[ReportKey, ...]


@dataclass(frozen=True, slots=True)
class Information:
    """Open incidents, an index of them by place and kind, closed ones until they are forgotten, unplaced reports."""

    incidents: Map[str, Incident] = Map()
    at_place: Map[PlaceKey, tuple[str, ...]] = Map()
    of_report: Map[ReportKey, str] = Map()
    closed: tuple[Closed, ...] = ()
    unplaced: Map[ReportKey, ReportUnplaced] = Map()
    deadlines: Book = deadlines.EMPTY


INITIAL = Information()


def place_key(place: Place, kind: str) -> PlaceKey:
    """The village; where none is known the words count: two streets of one township are two places."""
    village = place.village or (place.group or "")[:12]
    return (village or f"{place.township}/{place.words}", kind)


def may_be_one_place(one: Place, other: Place) -> bool:
    """Two groups of one village are two places; a group and its village may be one."""
    return one.group is None or other.group is None or one.group == other.group


def seconds_apart_of(one: datetime, other: datetime) -> int:
    return int(abs((one - other).total_seconds()))
