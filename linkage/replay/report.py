"""What an incident came to: the shapes that `linkage replay incident` shows, and dumps with --json.

Instants are aware datetimes; spans are whole seconds and say from where they run.
"""

from dataclasses import dataclass
from datetime import datetime

from linkage.events.base import Attested
from linkage.events.dispatch import Verdict
from linkage.replay.labels import Label


@dataclass(frozen=True, slots=True)
class Reached:
    """An answer that came: when, seconds since the whistle (or the order), and how it was heard if written down."""

    at: datetime
    span_s: int
    attested: Attested | None
    reason: str


@dataclass(frozen=True, slots=True)
class ReportLine:
    """One report about the incident. `how`: opened, merged, revised. `seconds_apart` from the incident's last event."""

    sender: Label
    message_id: str
    at: datetime
    occurred_at: datetime
    how: str
    seconds_apart: int | None
    placed_at: datetime | None
    """When the county's desk said where it belongs; None for a report that said so itself."""
    sent_again: int
    """How often the same message came again and got the same receipt."""


@dataclass(frozen=True, slots=True)
class Overdue:
    """Somebody did not answer in time, and who was told. `awaited`: what had not come within `limit_s`."""

    at: datetime
    who: Label
    subject: str
    awaited: str
    limit_s: int
    rung: int
    told: Label | None


@dataclass(frozen=True, slots=True)
class DepartmentLine:
    """One order to a department. Spans run from the whistle.

    `outcome`: met, late, not reported in, silent, declined, stood down, open.
    """

    order_id: str
    slot: int
    attempt: int
    party: Label
    role: str
    relation: str
    ordered_at: datetime
    received: Reached | None
    on_the_way: Reached | None
    reported_in: Reached | None
    done: Reached | None
    limit_s: int
    outcome: str
    late_s: int | None
    reason: str
    times_overdue: int
    because: str
    replaces: Label | None
    replaced_by: Label | None


@dataclass(frozen=True, slots=True)
class Considered:
    team: Label
    minutes: int
    has_skill: bool
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class TeamLine:
    """One order to a team. Spans run from the order. `outcome`: done, arrived, silent, declined, called back, open."""

    order_id: str
    hub: str
    slot: int
    attempt: int
    team: Label
    people: int | None
    is_county: bool
    request_id: str | None
    ordered_at: datetime
    answers: tuple[tuple[str, Reached], ...]
    """(answer, when), in the order in which they came."""
    arrived: Reached | None
    done: Reached | None
    silent_at: datetime | None
    stood_down_at: datetime | None
    released_at: datetime | None
    outcome: str
    reason: str
    because: str
    replaces: Label | None
    replaced_by: Label | None
    skill: str
    considered: tuple[Considered, ...]


@dataclass(frozen=True, slots=True)
class CountyRequest:
    """A township's request for a county team. `outcome`: promised, refused, given back, open: the last of `answers`."""

    request_id: str
    slot: int
    attempt: int
    asked_at: datetime
    because: str
    replaces: Label | None
    refusals: int
    """How often the county had none free for this seat before."""
    outcome: str
    answers: tuple["CountyAnswer", ...]


@dataclass(frozen=True, slots=True)
class CountyAnswer:
    """What the county said, or what was said to it: it promises a team, has none free, is given its team back."""

    at: datetime
    outcome: str
    team: Label | None
    reason: str


@dataclass(frozen=True, slots=True)
class DeadlineLine:
    deadline_id: str
    name: str
    subject: str
    hub: str
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Deadlines:
    """How the incident's deadlines ended, in every hub that had one."""

    met: int
    overdue: int
    lifted: int
    lifted_because: tuple[str, ...]
    open: tuple[DeadlineLine, ...]

    @property
    def ended(self) -> int:
        return self.met + self.overdue + self.lifted


@dataclass(frozen=True, slots=True)
class LevelLine:
    """An assessment. `unknown`: the numbers that were asked for; `deciding`: which criterion asked for the level."""

    at: datetime
    level: str
    previous: str | None
    is_provisional: bool
    unknown: tuple[str, ...]
    deciding: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RefusalLine:
    at: datetime
    hub: str
    sender: Label
    type: str
    message_id: str
    code: str
    reason: str
    fault: str


@dataclass(frozen=True, slots=True)
class Closing:
    at: datetime
    signed_by: str
    reason: str
    post: Label


@dataclass(frozen=True, slots=True)
class Shortage:
    """A seat for which nobody was left."""

    at: datetime
    what: str
    slot: int
    reason: str


@dataclass(frozen=True, slots=True)
class Moment:
    """One fact, where it stands in the journal, and in words."""

    at: datetime
    partition: int
    offset: int
    index: int
    hub: Label
    stage: str
    stage_zh: str
    type: str
    words: str


@dataclass(frozen=True, slots=True)
class IncidentReport:
    """Everything the journal says about one incident, from every hub that has a part in it."""

    incident_id: str
    hub: Label
    time_zone: str
    """In which its post reads times."""
    kind: Label
    place: Label
    summary: str
    exercise: bool
    follows: str | None
    opened_at: datetime
    closing: Closing | None
    reports: tuple[ReportLine, ...]
    blown_at: datetime | None
    whistle_rule: str
    whistle_basis: str
    departments: tuple[DepartmentLine, ...]
    teams: tuple[TeamLine, ...]
    county_requests: tuple[CountyRequest, ...]
    overdue: tuple[Overdue, ...]
    shortages: tuple[Shortage, ...]
    deadlines: Deadlines
    levels: tuple[LevelLine, ...]
    refusals: tuple[RefusalLine, ...]
    timeline: tuple[Moment, ...]


@dataclass(frozen=True, slots=True)
class IncidentLine:
    """One incident in the list."""

    incident_id: str
    hub: Label
    time_zone: str
    kind: Label
    place: Label
    level: str
    is_provisional: bool
    opened_at: datetime
    closed_at: datetime | None
    reports: int
    departments_reported_in: int
    departments: int
    teams: int
    deadlines_overdue: int
