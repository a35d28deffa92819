"""One source record's row, and what links between incidents make of the rows."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal, NamedTuple

from linkage.events.information import IncidentsLinked, LinkJudged
from linkage.narration import compared

Outcome = Literal["opened", "merged", "linked", "unplaced", "refused", "repeated"]
OUTCOMES: tuple[Outcome, ...] = ("opened", "merged", "linked", "unplaced", "refused", "repeated")
"""`linked`: the report's incident is one event with an earlier one, across a township's border or by a corrected place.
Such a row names the earliest of the linked incidents, so that all reports of one event stand under one id."""

Decided = tuple[datetime, int, int]
"""(the hub's now, journal partition, journal offset): in one hub, what was decided earlier is less."""
SourceRecord = tuple[str, int, int]
"""(topic, partition, offset)"""
Report = tuple[str, str]
"""(sender, message id)"""


class Verdict(NamedTuple):
    """What a step says of the report that led to it."""

    outcome: Outcome
    incident_id: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class AccountedRow:
    """One source record. `reason`: what decided it, in words; `order` sorts rows as the hubs decided them."""

    report_id: str
    outcome: Outcome
    incident_id: str | None
    reason: str
    sender: str
    topic: str
    partition: int
    offset: int
    hub: str
    """Whose decision it was: a township's, or the county's."""
    order: Decided

    @property
    def decided_at(self) -> datetime:
        return self.order[0]


@dataclass(slots=True)
class Links:
    """The links that hold: sure ones, and those a person has judged; of each the last word counts."""

    of_pair: dict[str, tuple[str, str, str] | None] = field(default_factory=dict)
    """link -> (incident, incident, why), or None: two events, or nobody has said"""
    doubts: dict[str, str] = field(default_factory=dict)
    """incident -> why it may be one event with another"""

    def take(self, fact: IncidentsLinked | LinkJudged) -> None:
        one, other = fact.one.incident_id, fact.other.incident_id
        if isinstance(fact, IncidentsLinked):
            why = compared(fact.comparison).en
            if fact.certainty == "unsure":
                self.doubts[other] = f"perhaps one event with {one}, a person is asked: {why}"
        else:
            why = f"judged by {fact.signed_by}"
            self.doubts.pop(other, None)
        self.of_pair[fact.link_id] = (one, other, why) if fact.relation == "CHILD" else None

    def applied(self, rows: Sequence[AccountedRow]) -> list[AccountedRow]:
        """The same rows in order; those of an incident that is one event with an earlier one are linked to that."""
        groups, why = self._groups()
        first: dict[str, str] = {}
        applied: list[AccountedRow] = []
        for row in rows:
            own = row.incident_id
            if own is None:
                applied.append(row)
            elif row.outcome == "repeated" or own not in groups:
                doubt = self.doubts.get(own, "") if row.outcome == "opened" else ""
                applied.append(replace(row, reason=row.reason or doubt))
            elif (earliest := first.setdefault(groups[own], own)) == own:
                applied.append(row)
            else:
                reason = f"{row.outcome} in {own}, which is one event with it: {why[own]}"
                applied.append(replace(row, outcome="linked", incident_id=earliest, reason=reason))
        return applied

    def _groups(self) -> tuple[dict[str, str], dict[str, str]]:
        """(incident -> a name of its group, incident -> why it is in one)"""
        above: dict[str, str] = {}
        why: dict[str, str] = {}

        def root(incident: str) -> str:
            while above[incident] != incident:
                incident = above[incident]
            return incident

        for pair in self.of_pair.values():
            if pair is not None:
                for incident in pair[:2]:
                    above.setdefault(incident, incident)
                    why.setdefault(incident, pair[2])
                above[root(pair[1])] = root(pair[0])
        return {incident: root(incident) for incident in above}, why
