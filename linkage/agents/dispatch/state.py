"""What `dispatch` knows: who holds which team, what each incident needs, what was asked of and lent by the county."""

from datetime import datetime
from typing import NamedTuple

from immutables import Map

from linkage.agents import deadlines, over
from linkage.agents.deadlines import Book
from linkage.agents.over import Over
from linkage.events.dispatch import Lent
from linkage.events.inbound import Answer
from linkage.events.outbound import Briefing
from linkage.events.reference import Relation


class TeamOrder(NamedTuple):
    """An order to a team of this hub, from being ordered until the team is released."""

    order_id: str
    incident_id: str
    slot: int
    attempt: int
    team: str
    party: str
    relation: Relation
    ordered_at: datetime
    lent: Lent | None
    said: Answer | None = None
    revision: int = 1
    is_standing_down: bool = False
    is_unreachable: bool = False
    is_replaced: bool = False
    is_released: bool = False


class Need(NamedTuple):
    """What an incident of this hub needs, and who was asked for it."""

    briefing: Briefing
    skill: str
    slots: int = 0
    orders: tuple[str, ...] = ()
    requests: tuple[str, ...] = ()
    tried: tuple[str, ...] = ()


class Request(NamedTuple):
    """A township's request to the county, as the township sees it."""

    request_id: str
    incident_id: str
    slot: int
    attempt: int
    refusals: int
    order_id: str | None = None
    team: str | None = None
    is_over: bool = False


class Lending(NamedTuple):
    """The same request as the county sees it."""

    township: str
    incident_id: str
    briefing: Briefing
    skill: str
    tried: tuple[str, ...]
    orders: tuple[str, ...] = ()
    is_over: bool = False


class Dispatch(NamedTuple):
    holders: Map[str, str] = Map()
    """team -> the order that holds it. A team that is not in here is free."""
    orders: Map[str, TeamOrder] = Map()
    incidents: Map[str, Need] = Map()
    requests: Map[str, Request] = Map()
    lendings: Map[str, Lending] = Map()
    deadlines: Book = deadlines.EMPTY
    closed: Over = over.NOTHING
    """Incidents and requests: late answers still find their order until they are forgotten."""


INITIAL = Dispatch()
