"""Checks of what is held and what runs: teams and deadlines."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from linkage.agents.dispatch.teams import STAND_DOWN
from linkage.events.deadlines import DeadlineEnded, DeadlineOutcome, DeadlineSet
from linkage.events.dispatch import TeamOrdered, TeamReleased
from linkage.events.envelope import JournalRecord
from linkage.events.information import IncidentClosed
from linkage.replay.audit.violation import Violation
from linkage.replay.journal import Entry


@dataclass(slots=True)
class OneHolder:
    """Invariant 2: a team has one holder: it is ordered only while nothing holds it, and released by what held it."""

    name: str = "one holder"
    invariant: int = 2
    teams: set[tuple[str, str]] = field(default_factory=set)
    holders: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    """(hub, team) -> (order id, where it was ordered)"""

    def take(self, entry: Entry, record: JournalRecord) -> Iterator[Violation]:
        for staged in record.facts:
            match staged.fact:
                case TeamOrdered(team=team, order_id=order_id):
                    self.teams.add((record.hub, team))
                    if (held := self.holders.get((record.hub, team))) is not None:
                        text = f"team {team} is ordered by {order_id} while {held[0]} ({held[1]}) holds it"
                        yield Violation(self.name, self.invariant, entry.where, text)
                    self.holders[record.hub, team] = (order_id, entry.where)
                case TeamReleased(team=team, order_id=order_id):
                    held = self.holders.pop((record.hub, team), None)
                    if held is None or held[0] != order_id:
                        text = f"team {team} is released by {order_id}; {held[0] if held else 'nothing'} held it"
                        yield Violation(self.name, self.invariant, entry.where, text)

    def at_end(self) -> Iterator[Violation]:
        yield from ()


@dataclass(frozen=True, slots=True)
class OpenDeadline:
    deadline: DeadlineSet
    hub: str
    where: str


@dataclass(slots=True)
class DeadlinesEndOnce:
    """Invariant 4: a deadline that was set ends once, and closing an incident ends those that its hub still has."""

    name: str = "each deadline ends once"
    invariant: int = 4
    open: dict[tuple[str, int], OpenDeadline] = field(default_factory=dict)
    ended: dict[tuple[str, int], str] = field(default_factory=dict)
    outcomes: Counter[DeadlineOutcome] = field(default_factory=Counter)
    closed: dict[tuple[str, str], str] = field(default_factory=dict)
    """(hub, incident) -> where it was closed"""

    def take(self, entry: Entry, record: JournalRecord) -> Iterator[Violation]:
        for staged in record.facts:
            match staged.fact:
                case DeadlineSet() as deadline:
                    yield from self._set(deadline, entry, record.hub)
                case DeadlineEnded() as end:
                    yield from self._ended(end, entry)
                case IncidentClosed(incident_id=incident_id):
                    self.closed[record.hub, incident_id] = entry.where

    def _set(self, deadline: DeadlineSet, entry: Entry, hub: str) -> Iterator[Violation]:
        key = (deadline.deadline_id, deadline.revision)
        if key in self.open or key in self.ended:
            before = self.open[key].where if key in self.open else f"{self.ended[key]}, where it ended"
            text = f"deadline {key[0]} revision {key[1]} ({deadline.name}) is set again after {before}"
            yield Violation(self.name, self.invariant, entry.where, text)
        self.open[key] = OpenDeadline(deadline, hub, entry.where)

    def _ended(self, end: DeadlineEnded, entry: Entry) -> Iterator[Violation]:
        key = (end.deadline_id, end.revision)
        named = f"deadline {key[0]} revision {key[1]} ends {end.outcome}"
        if key in self.ended:
            text = f"{named}; it ended at {self.ended[key]} already"
            yield Violation(self.name, self.invariant, entry.where, text)
        elif key not in self.open:
            yield Violation(self.name, self.invariant, entry.where, f"{named}; none was set")
        else:
            self.outcomes[end.outcome] += 1
        self.open.pop(key, None)
        self.ended[key] = entry.where

    def at_end(self) -> Iterator[Violation]:
        for (deadline_id, revision), left in self.open.items():
            deadline = left.deadline
            where = self.closed.get((left.hub, deadline.incident_id or ""))
            if where is not None and deadline.name != STAND_DOWN:
                text = (
                    f"incident {deadline.incident_id} is closed, its deadline {deadline_id} revision {revision} "
                    f"({deadline.name} of {deadline.subject}, set at {left.where}) has not ended"
                )
                yield Violation(self.name, self.invariant, where, text)
