"""The facts of one incident, gathered in one pass from every hub's partition: the township's, and the county's part."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from linkage.errors import LinkageError
from linkage.events.deadlines import DeadlineEnded, DeadlineSet
from linkage.events.dispatch import DispatchEnded
from linkage.events.envelope import InboxRecord, JournalRecord
from linkage.events.information import (
    IncidentOpened,
    IncidentsLinked,
    LinkJudged,
    ReportHandedOver,
    ReportStillUnplaced,
    ReportUnplaced,
)
from linkage.events.reception import MessageRefused
from linkage.replay.journal import Entry
from linkage.replay.labels import Labels

SHOWN_LIMIT_COUNT = 10


class NoSuchIncident(LinkageError):
    """The journal has no incident of that id, or more than one that begins so."""


@dataclass(frozen=True, slots=True)
class Noted:
    """A fact and where it comes from."""

    partition: int
    offset: int
    index: int
    hub: str
    at: datetime
    stage: str
    fact: Any
    inbox: InboxRecord

    @property
    def order(self) -> tuple[datetime, int, int, int]:
        return self.at, self.partition, self.offset, self.index


@dataclass(slots=True)
class Chronicle:
    """Facts of incidents whose id begins with `wanted`; `settled` says which one it is and hands them out, in order."""

    wanted: str
    labels: Labels = field(default_factory=Labels)
    opened: set[str] = field(default_factory=set)
    noted: list[Noted] = field(default_factory=list)
    deadlines: set[tuple[str, str]] = field(default_factory=set)
    """(hub, deadline id) of the incident's deadlines"""
    aside: list[Noted] = field(default_factory=list)
    """Refusals and unplaced reports: whether they concern the incident is known at the end."""

    def take(self, entry: Entry, record: JournalRecord) -> None:
        self.labels.take(record)
        for index, staged in enumerate(record.facts):
            fact = staged.fact
            noted = Noted(
                entry.partition, entry.offset, index, record.hub, record.now, staged.stage, fact, record.inbox
            )
            if self._is_ours(fact, record.hub):
                self.noted.append(noted)
            elif isinstance(fact, MessageRefused | ReportUnplaced | ReportStillUnplaced | ReportHandedOver):
                self.aside.append(noted)

    def _is_ours(self, fact: Any, hub: str) -> bool:
        if isinstance(fact, DeadlineEnded):
            return (hub, fact.deadline_id) in self.deadlines
        if isinstance(fact, IncidentsLinked | LinkJudged):
            return any(one.incident_id.startswith(self.wanted) for one in (fact.one, fact.other))
        named = fact.subject if isinstance(fact, DispatchEnded) else getattr(fact, "incident_id", None)
        if named is None or not named.startswith(self.wanted):
            return False
        if isinstance(fact, IncidentOpened):
            self.opened.add(named)
        if isinstance(fact, DeadlineSet):
            self.deadlines.add((hub, fact.deadline_id))
        return True

    def settled(self) -> tuple[str, list[Noted]]:
        """(incident id, its facts in order of time). Raises NoSuchIncident."""
        if not self.opened:
            raise NoSuchIncident(f"the journal has no incident {self.wanted}: `linkage replay incidents` lists them")
        if len(self.opened) > 1:
            shown = ", ".join(sorted(self.opened)[:SHOWN_LIMIT_COUNT])
            raise NoSuchIncident(f"{self.wanted} begins {len(self.opened)} incidents ({shown}): type more of the id")
        (incident_id,) = self.opened
        orders = {found for one in self.noted if (found := getattr(one.fact, "order_id", None)) is not None}
        reports = {
            (one.fact.report.sender, one.fact.report.message_id) for one in self.noted if _names_report(one.fact)
        }
        ours = self.noted + [one for one in self.aside if _concerns(one, incident_id, orders, reports)]
        return incident_id, sorted(ours, key=lambda one: one.order)


def _names_report(fact: Any) -> bool:
    return hasattr(fact, "report") and hasattr(fact.report, "message_id")


def _concerns(noted: Noted, incident_id: str, orders: set[str], reports: set[tuple[str, str]]) -> bool:
    fact = noted.fact
    match fact:
        case ReportUnplaced() | ReportHandedOver():
            return (fact.report.sender, fact.report.message_id) in reports
        case ReportStillUnplaced():
            return any(fact.subject == f"{sender}/{message_id}" for sender, message_id in reports)
        case MessageRefused():
            asked = noted.inbox.data
            named = (getattr(asked, "order_id", None) in orders, getattr(asked, "incident_id", None) == incident_id)
            supersedes = getattr(asked, "supersedes", None)
            return any(named) or (fact.sender, fact.message_id) in reports or (fact.sender, supersedes) in reports
    return False


def of_type(noted: Sequence[Noted], *types: type) -> Iterator[Noted]:
    """The facts of these types, in order."""
    return (one for one in noted if isinstance(one.fact, types))


__all__ = ["Chronicle", "NoSuchIncident", "Noted", "of_type"]
