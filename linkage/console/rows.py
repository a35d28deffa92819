"""The rows of a board: frozen, sorted, complete. Every name a person reads comes as a Label, every instant is aware."""

from dataclasses import dataclass
from datetime import datetime

from linkage.events.base import Level
from linkage.events.outbound import Fault
from linkage.replay.labels import Label


@dataclass(frozen=True, slots=True)
class InboxGauge:
    """How far the hub's partition has come against its inbox's end."""

    behind_records: int
    """Records that stand in the inbox and would change something, but are not decided yet."""
    is_at_least: bool
    """True when there are more than were looked at."""
    oldest_s: int
    """For how long the oldest of them has waited; 0 when there is none."""


@dataclass(frozen=True, slots=True)
class IngressGauge:
    """What parties have written and ingress has not brought to the inboxes yet."""

    behind_records: int
    topics: tuple[tuple[str, int], ...]
    """(source topic, records behind) of those that are behind."""


@dataclass(frozen=True, slots=True)
class Header:
    """Whose board, of when, and whether it can be believed. A gauge is None when it could not be read."""

    post: Label
    hub: str
    at: datetime
    """Now, in the county's time zone."""
    partition: int
    log_id: str
    reference_version: str | None
    position: int
    """The last inbox offset that stands in the journal; -1: none."""
    inbox: InboxGauge | None
    ingress: IngressGauge | None
    problem: str | None
    """Why the board may be old; None when it is not."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Something that waits for a person at this post. `command` is what to type next, "" when nothing helps."""

    kind: str
    kind_zh: str
    since: datetime
    subject: str
    incident_id: str | None
    text: str
    command: str
    rank: int
    """0 first."""
    fault: Fault | None = None
    """Whose fault it is, where that is a question."""


@dataclass(frozen=True, slots=True)
class NextDeadline:
    """The open deadline that comes next."""

    due_at: datetime
    who: Label
    awaited: str
    awaited_zh: str


@dataclass(frozen=True, slots=True)
class WhistleCount:
    """Seats of the whistle, and in how many of them a department has reported in."""

    seats: int
    reported_in: int


@dataclass(frozen=True, slots=True)
class TeamCount:
    """Teams of one incident by what they last said. Who declined is not counted."""

    needed: int = 0
    ordered: int = 0
    """Ordered, or said no more than that the order is received."""
    going: int = 0
    at_the_scene: int = 0
    silent: int = 0
    standing_down: int = 0
    done: int = 0
    asked_of_county: int = 0


@dataclass(frozen=True, slots=True)
class IncidentRow:
    """An open incident of this hub, or, at the county, one of a township that a county team was lent to."""

    incident_id: str
    township: Label | None
    """None: it is this hub's own."""
    kind: Label
    place: Label
    level: Level
    level_is_provisional: bool
    exercise: bool
    opened_at: datetime | None
    reports: int
    whistle: WhistleCount | None
    teams: TeamCount
    next_deadline: NextDeadline | None


@dataclass(frozen=True, slots=True)
class ComingBack:
    """A team that was called back and has not said that it is done."""

    team: Label
    order_id: str
    incident_id: str
    due_at: datetime | None
    command: str


@dataclass(frozen=True, slots=True)
class OverdueRow:
    """Somebody did not do in time what was asked. `next_at`: when `next_told` is told; None: a person has it now."""

    at: datetime
    """Since when."""
    who: Label
    subject: str
    """The order, or the request to the county."""
    incident_id: str
    awaited: str
    awaited_zh: str
    limit_s: int
    """The limit that was missed first; the ladder's rungs follow it."""
    rung: int
    told: Label | None
    next_told: Label | None
    next_at: datetime | None
    is_unreachable: bool
    replaced_by: Label | None
    is_lent: bool
    """A county team: the county is told, and tells this post."""
    command: str


@dataclass(frozen=True, slots=True)
class Said:
    """One of the last facts, in words."""

    at: datetime
    stage: str
    stage_zh: str
    incident_id: str | None
    words: str
