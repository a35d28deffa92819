"""What `whistle` knows: the seats of each incident, every order to a department, the open deadlines."""

from datetime import datetime
from typing import NamedTuple

from immutables import Map

from linkage.agents import deadlines, over
from linkage.agents.deadlines import Book
from linkage.agents.over import Over
from linkage.events.inbound import Answer
from linkage.events.outbound import Briefing
from linkage.events.reference import Relation, WhistleSlot


class WhistleOrder(NamedTuple):
    order_id: str
    incident_id: str
    slot: int
    attempt: int
    party: str
    relation: Relation
    ordered_at: datetime
    said: Answer | None = None
    revision: int = 1
    is_over: bool = False
    is_replaced: bool = False


class Blown(NamedTuple):
    briefing: Briefing
    slots: tuple[WhistleSlot, ...]
    orders: tuple[str, ...] = ()


class Whistle(NamedTuple):
    incidents: Map[str, Blown] = Map()
    orders: Map[str, WhistleOrder] = Map()
    deadlines: Book = deadlines.EMPTY
    closed: Over = over.NOTHING
    """Closed incidents: answers that come late still find their order until they are forgotten."""


INITIAL = Whistle()
