"""What `information` knows: open incidents, an index of them, closed ones for a while, unplaced reports."""

from datetime import datetime
from typing import NamedTuple

from immutables import Map

from linkage.agents import deadlines
from linkage.agents.deadlines import Book
from linkage.agents.information.sighting import ReportKey, Sighting
from linkage.events.base import Place
from linkage.events.information import Certainty, LinkedIncident, Relation, ReportUnplaced

PlaceKey = tuple[str, str]
"""(the village, or the words where none is known; kind)"""
SIGHTINGS_LIMIT_COUNT = 12
"""Of one incident: its first and its latest; what was said between them decides nothing more."""


class Incident(NamedTuple):
    incident_id: str
    kind: str
    place: Place
    first_occurred_at: datetime
    last_occurred_at: datetime
    opened_at: datetime
    reports: tuple[ReportKey, ...]
    sightings: tuple[Sighting, ...]
    keys: tuple[str, ...]
    """Under which `Information.at_place` has it."""
    links: tuple[tuple[str, Certainty], ...] = ()
    """What was proposed to the county, so that nothing is proposed twice."""


class Closed(NamedTuple):
    """A closed incident, in the list of those of one day."""

    incident_id: str
    place_key: PlaceKey
    visits_key: str
    reports: tuple[ReportKey, ...]
    before: "Closed | None"


class ClosedDay(NamedTuple):
    """What was closed on one day, so that it is forgotten at once."""

    forget_on: int
    last: Closed


class Link(NamedTuple):
    """Two incidents that are one event, may be, or are not, as it stands."""

    one: LinkedIncident
    other: LinkedIncident
    relation: Relation
    parent_id: str | None
    linked_at: datetime


class LinkDay(NamedTuple):
    """The links of one day, so that they are forgotten at once."""

    forget_on: int
    link_ids: tuple[str, ...]


class Information(NamedTuple):
    """Open incidents, an index of them by place, closed ones until they are forgotten, unplaced reports."""

    incidents: Map[str, Incident] = Map()
    at_place: Map[str, tuple[str, ...]] = Map()
    of_report: Map[ReportKey, str] = Map()
    closed: tuple[ClosedDay, ...] = ()
    closed_at: Map[PlaceKey, str] = Map()
    """The latest closed incident of a place and kind."""
    visits: Map[str, int] = Map()
    """Address and class of kinds -> incidents there, open and remembered."""
    unplaced: Map[ReportKey, ReportUnplaced] = Map()
    links: Map[str, Link] = Map()
    link_days: tuple[LinkDay, ...] = ()
    parents: Map[str, str] = Map()
    """Incident -> its parent; at the county's hub only."""
    deadlines: Book = deadlines.EMPTY


INITIAL = Information()


def place_key(place: Place, kind: str) -> PlaceKey:
    """The village; where none is known the words count: two streets of one township are two places."""
    village = place.village or (place.group or "")[:12]
    return (village or f"{place.township}/{place.words}", kind)


def visits_key(one: Sighting) -> str:
    """Incidents at one address are counted by the first part of their kind: patients apart from crashes."""
    return f"{one.kind.partition('.')[0]} {one.address}"
