"""All incidents, one line each."""

from dataclasses import dataclass, field
from datetime import datetime

from linkage.events.assessment import IncidentAssessed
from linkage.events.deadlines import DeadlineEnded, DeadlineSet
from linkage.events.dispatch import TeamOrdered
from linkage.events.envelope import Fact, JournalRecord
from linkage.events.inbound import Answer
from linkage.events.information import IncidentClosed, IncidentOpened, ReportMerged, ReportRevised
from linkage.events.whistle import DepartmentAnswered, DepartmentWhistled
from linkage.replay.journal import JournalSource, Progress, decoded, silent
from linkage.replay.labels import Labels
from linkage.replay.report import IncidentLine

UNKNOWN_LEVEL = "-"


@dataclass(slots=True)
class Tally:
    """One incident while the journal is read; counts only."""

    opened: IncidentOpened
    hub: str
    level: str = UNKNOWN_LEVEL
    is_provisional: bool = False
    closed_at: datetime | None = None
    reports: int = 1
    departments: set[str] = field(default_factory=set)
    reported_in: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Listing:
    """Takes one journal record after the other. What the county's hub did for an incident may come before it."""

    labels: Labels = field(default_factory=Labels)
    incidents: dict[str, Tally] = field(default_factory=dict)
    deadlines: dict[tuple[str, str], str] = field(default_factory=dict)
    """(hub, deadline id) -> incident of open deadlines"""
    teams: dict[str, int] = field(default_factory=dict)
    overdue: dict[str, int] = field(default_factory=dict)

    def take(self, record: JournalRecord) -> None:
        self.labels.take(record)
        for staged in record.facts:
            self._count(staged.fact, record.hub)

    def _count(self, fact: Fact, hub: str) -> None:
        match fact:
            case IncidentOpened():
                self.incidents[fact.incident_id] = Tally(fact, hub)
            case ReportMerged() | ReportRevised():
                self.incidents[fact.incident_id].reports += 1
            case IncidentAssessed():
                tally = self.incidents[fact.incident_id]
                tally.level, tally.is_provisional = fact.level.value, fact.is_provisional
            case IncidentClosed():
                self.incidents[fact.incident_id].closed_at = fact.closed_at
            case DepartmentWhistled():
                self.incidents[fact.incident_id].departments.add(fact.order_id)
            case DepartmentAnswered(answer=Answer.REPORTED_IN):
                self.incidents[fact.incident_id].reported_in.add(fact.order_id)
            case TeamOrdered():
                self.teams[fact.incident_id] = self.teams.get(fact.incident_id, 0) + 1
            case DeadlineSet(incident_id=str() as incident_id):
                self.deadlines[hub, fact.deadline_id] = incident_id
            case DeadlineEnded():
                ended = self.deadlines.pop((hub, fact.deadline_id), None)
                if ended is not None and fact.outcome == "overdue":
                    self.overdue[ended] = self.overdue.get(ended, 0) + 1

    def lines(self) -> tuple[IncidentLine, ...]:
        """Oldest first."""
        tallies = sorted(self.incidents.values(), key=lambda one: (one.opened.opened_at, one.opened.incident_id))
        return tuple(self._line(one) for one in tallies)

    def _line(self, tally: Tally) -> IncidentLine:
        opened = tally.opened
        return IncidentLine(
            incident_id=opened.incident_id,
            hub=self.labels.hub(tally.hub),
            time_zone=self.labels.time_zone,
            kind=self.labels.kind(opened.kind),
            place=self.labels.place(opened.place),
            level=tally.level,
            is_provisional=tally.is_provisional,
            opened_at=opened.opened_at,
            closed_at=tally.closed_at,
            reports=tally.reports,
            departments_reported_in=len(tally.reported_in),
            departments=len(tally.departments),
            teams=self.teams.get(opened.incident_id, 0),
            deadlines_overdue=self.overdue.get(opened.incident_id, 0),
        )


def incidents(source: JournalSource, progress: Progress = silent) -> tuple[IncidentLine, ...]:
    """Every incident of the journal, oldest first. Raises UnreadableJournal."""
    listing = Listing()
    for entry in decoded(source, progress):
        if isinstance(entry.record, JournalRecord):
            listing.take(entry.record)
    return listing.lines()
