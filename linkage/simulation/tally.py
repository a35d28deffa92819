"""What a simulation came to, counted while it runs."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from linkage.events.dispatch import TeamOrdered, TeamOverdue, TeamsExhausted
from linkage.events.envelope import Fact, StagedFact
from linkage.events.information import (
    IncidentClosed,
    IncidentOpened,
    ReportHandedOver,
    ReportMerged,
    ReportRevised,
    ReportStillUnplaced,
    ReportUnplaced,
)
from linkage.events.reception import MessageRefused, MessageRepeated
from linkage.events.whistle import DepartmentOverdue, DepartmentsExhausted, DepartmentWhistled


@dataclass(slots=True)
class Tally:
    """Counts of what is committed so far. `steps`: inbox records that led to facts."""

    steps: int = 0
    facts: int = 0
    opened: int = 0
    merged: int = 0
    revised: int = 0
    unplaced: int = 0
    placed: int = 0
    repeated: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    """Code -> how often."""
    closed: int = 0
    whistled: int = 0
    teams_ordered: int = 0
    teams_lent: int = 0
    replacements: int = 0
    overdue: int = 0
    escalated: int = 0
    """How often somebody on the ladder was told."""
    exhausted: int = 0
    """Seats for which nobody was left: a person must find one."""

    @property
    def open_incidents(self) -> int:
        return self.opened - self.closed

    @property
    def orders(self) -> int:
        return self.whistled + self.teams_ordered

    def take(self, hub: str, facts: Sequence[StagedFact]) -> None:
        """A committed step of a hub."""
        self.steps += 1
        self.facts += len(facts)
        for staged in facts:
            self._count(staged.fact)

    def _count(self, fact: Fact) -> None:
        match fact:
            case IncidentOpened():
                self.opened += 1
            case ReportMerged():
                self.merged += 1
            case ReportRevised():
                self.revised += 1
            case ReportUnplaced():
                self.unplaced += 1
            case ReportHandedOver():
                self.placed += 1
            case MessageRepeated():
                self.repeated += 1
            case MessageRefused():
                self.refused[fact.code] += 1
            case IncidentClosed():
                self.closed += 1
            case DepartmentWhistled():
                self.whistled += 1
                self.replacements += fact.replaces is not None
            case TeamOrdered():
                self.teams_ordered += 1
                self.teams_lent += fact.lent is not None
                self.replacements += fact.replaces is not None
            case DepartmentOverdue() | TeamOverdue() | ReportStillUnplaced():
                self.overdue += 1
                self.escalated += fact.told is not None
            case DepartmentsExhausted() | TeamsExhausted():
                self.exhausted += 1
