"""Checks of what went out: every order once, as the journal says; every message once for each time it was sent."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from pydantic import ValidationError

from linkage import identity, wire
from linkage.events.dispatch import TeamOrdered, TeamStoodDown
from linkage.events.envelope import PARTY_BOUND, Fact, JournalRecord, Sent
from linkage.events.outbound import DispatchTeam, StandDown, WhistleDepartment
from linkage.events.whistle import DepartmentStoodDown, DepartmentWhistled
from linkage.replay.audit.violation import Violation
from linkage.replay.journal import Entry
from linkage.runtime.ports import Record
from linkage.topics import party_told

OrderKey = tuple[str, int]
"""(order id, revision): the same is the same order, for ever."""
OrderFact = DepartmentWhistled | TeamOrdered | DepartmentStoodDown | TeamStoodDown


@dataclass(frozen=True, slots=True)
class Order:
    """What an order says, wherever it stands: who is sent where, since when, until when."""

    message_type: str
    hub: str
    party: str
    team: str | None
    incident_id: str
    ordered_at: datetime
    receive_by: datetime | None
    report_in_by: datetime | None


def ordered_by(fact: Fact, hub: str) -> tuple[OrderKey, Order] | None:
    """The order that a fact of the journal is; None for a fact that is none."""
    match fact:
        case DepartmentWhistled() | TeamOrdered():
            team = fact.team if isinstance(fact, TeamOrdered) else None
            sort = DispatchTeam if isinstance(fact, TeamOrdered) else WhistleDepartment
            order = Order(
                *(_type(sort), hub, fact.party, team, fact.incident_id),
                *(fact.ordered_at, fact.receive_by, fact.report_in_by),
            )
            return (fact.order_id, 1), order
        case DepartmentStoodDown() | TeamStoodDown():
            team = fact.team if isinstance(fact, TeamStoodDown) else None
            order = Order(_type(StandDown), hub, fact.party, team, fact.incident_id, fact.stood_down_at, None, None)
            return (fact.order_id, fact.revision), order
    return None


def ordered_in(message: WhistleDepartment | DispatchTeam | StandDown) -> tuple[OrderKey, Order]:
    """The order that a message of a dispatch topic is."""
    key = (message.order_id, message.revision)
    if isinstance(message, StandDown):
        return key, Order(
            *(message.type, message.hub, message.party, message.team, message.incident_id, message.ordered_at),
            *(None, None),
        )
    team = message.team if isinstance(message, DispatchTeam) else None
    return key, Order(
        *(message.type, message.hub, message.party, team, message.briefing.incident_id, message.ordered_at),
        *(message.receive_by, message.report_in_by),
    )


def _type(model: type[WhistleDepartment | DispatchTeam | StandDown]) -> str:
    return str(model.model_fields["type"].default)


@dataclass(frozen=True, slots=True)
class Journaled:
    """An order as the journal has it, and how it was sent (None: it was not)."""

    order: Order
    where: str
    sent: Sent | None


@dataclass(slots=True)
class OrdersOnce:
    """Invariant 2: an order id and revision stand for one order, decided once and sent once in the same transaction."""

    name: str = "each order once"
    invariant: int = 2
    orders: dict[OrderKey, Journaled] = field(default_factory=dict)

    def take(self, entry: Entry, record: JournalRecord) -> Iterator[Violation]:
        sent = {one.message_id: one for one in record.sent}
        if len({(one.topic, one.message_id) for one in record.sent}) < len(record.sent):
            yield Violation(self.name, self.invariant, entry.where, "one step sent the same message twice")
        for staged in record.facts:
            if (found := ordered_by(staged.fact, record.hub)) is None:
                continue
            key, order = found
            named = f"order {key[0]} revision {key[1]}"
            letter = sent.get(identity.message_id(*key))
            if key in self.orders:
                text = f"{named} to {order.team or order.party} stands at {self.orders[key].where} already"
                yield Violation(self.name, self.invariant, entry.where, text)
                continue
            self.orders[key] = Journaled(order, entry.where, letter)
            if letter is None or letter.type != order.message_type:
                text = f"{named} to {order.team or order.party} was decided and not sent"
                yield Violation(self.name, self.invariant, entry.where, text)
            elif party_told(letter.topic) != order.party:
                text = f"{named} is for {order.party} and was sent to {letter.topic}"
                yield Violation(self.name, self.invariant, entry.where, text)

    def at_end(self) -> Iterator[Violation]:
        yield from ()


@dataclass(slots=True)
class OrdersInTopics:
    """Invariant 2, seen by a committed reader: every order of the journal once on its party's topic, the same order."""

    journaled: OrdersOnce
    gone: frozenset[str] = frozenset()
    name: str = "orders in dispatch topics"
    invariant: int = 2
    found: dict[OrderKey, str] = field(default_factory=dict)
    orders: dict[OrderKey, tuple[str, Order]] = field(default_factory=dict)

    def take_dispatch(self, record: Record) -> Iterator[Violation]:
        where = f"{record.topic} {record.partition}/{record.offset}"
        try:
            message = PARTY_BOUND.validate_json(record.value or b"")
        except ValidationError as error:
            text = f"it is no message of ours: {error.errors()[0]['msg']}"
            yield Violation(self.name, self.invariant, where, text)
            return
        if not isinstance(message, WhistleDepartment | DispatchTeam | StandDown):
            return
        key, order = ordered_in(message)
        if key in self.found:
            text = f"order {key[0]} revision {key[1]} stands at {self.found[key]} already"
            yield Violation(self.name, self.invariant, where, text)
            return
        self.found[key] = where
        self.orders[key] = (record.topic, order)

    def at_end(self) -> Iterator[Violation]:
        for key, known in self.journaled.orders.items():
            is_elsewhere = known.sent is None or known.sent.diverted_because or known.sent.topic in self.gone
            if key not in self.found and not is_elsewhere:
                text = f"order {key[0]} revision {key[1]} to {known.order.team or known.order.party} is on no topic"
                yield Violation(self.name, self.invariant, known.where, text, may_settle=True)
        for key, (topic, order) in self.orders.items():
            journaled = self.journaled.orders.get(key)
            if journaled is None:
                text = f"order {key[0]} revision {key[1]} to {order.team or order.party} does not stand in the journal"
                yield Violation(self.name, self.invariant, self.found[key], text, may_settle=True)
            elif order != journaled.order or (journaled.sent is not None and topic != journaled.sent.topic):
                text = f"order {key[0]} revision {key[1]} says {order} on {topic}, the journal says {journaled.order}"
                yield Violation(self.name, self.invariant, self.found[key], text)


@dataclass(slots=True)
class MessagesAsSent:
    """Invariant 1: what the journal says was sent to a party stands on its topic as often, and nothing else does."""

    gone: frozenset[str] = frozenset()
    name: str = "messages as sent"
    invariant: int = 1
    sent: Counter[tuple[str, str]] = field(default_factory=Counter)
    there: Counter[tuple[str, str]] = field(default_factory=Counter)

    def take(self, entry: Entry, record: JournalRecord) -> Iterator[Violation]:
        for one in record.sent:
            if one.diverted_because is None and party_told(one.topic) is not None and one.topic not in self.gone:
                self.sent[one.topic, one.message_id] += 1
        yield from ()

    def take_dispatch(self, record: Record) -> Iterator[Violation]:
        try:
            attributes, _data = wire.read(record.headers, record.value)
            self.there[record.topic, attributes.id] += 1
        except wire.NotACloudEvent as error:
            where = f"{record.topic} {record.partition}/{record.offset}"
            yield Violation(self.name, self.invariant, where, f"not an event of ours: {error}")

    def at_end(self) -> Iterator[Violation]:
        for topic, message_id in sorted(self.sent.keys() | self.there.keys()):
            sent, there = self.sent[topic, message_id], self.there[topic, message_id]
            if sent != there:
                text = f"message {message_id} was sent {sent} times by the journal and stands there {there} times"
                yield Violation(self.name, self.invariant, topic, text, may_settle=True)
