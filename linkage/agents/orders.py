"""Orders, the same for departments and teams: which answer is awaited next, by when, and what an answer changes."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple, Protocol

from linkage.agents import deadlines
from linkage.agents.desk import Desk
from linkage.errors import Refusal
from linkage.events.base import Attested
from linkage.events.deadlines import DeadlineSet
from linkage.events.inbound import Answer, AnswerOrder, RecordAnswer
from linkage.events.reference import OrderLimits

NEXT: dict[Answer | None, Answer | None] = {
    None: Answer.RECEIVED,
    Answer.RECEIVED: Answer.ACCEPTED,
    Answer.ACCEPTED: Answer.EN_ROUTE,
    Answer.EN_ROUTE: Answer.REPORTED_IN,
    Answer.REPORTED_IN: Answer.DONE,
    Answer.DONE: None,
    Answer.DECLINED: None,
}
"""What is awaited after an answer; after nothing yet, the receipt."""

RANK = {None: 0, Answer.RECEIVED: 1, Answer.ACCEPTED: 2, Answer.EN_ROUTE: 3, Answer.REPORTED_IN: 4, Answer.DONE: 5}


class OpenOrder(Protocol):
    @property
    def order_id(self) -> str: ...
    @property
    def incident_id(self) -> str: ...
    @property
    def party(self) -> str: ...
    @property
    def said(self) -> Answer | None: ...
    @property
    def ordered_at(self) -> datetime: ...


class Said(NamedTuple):
    """An answer, whoever wrote it down."""

    order_id: str
    party: str
    answer: Answer
    reason: str
    eta_at: datetime | None
    attested: Attested | None


def said(message: AnswerOrder | RecordAnswer, desk: Desk) -> Said:
    """The answer in a message; a post that records one speaks for the party it names."""
    attested = message.attested
    party = attested.on_behalf_of if isinstance(message, RecordAnswer) and attested else desk.letter.sender
    return Said(message.order_id, party, message.answer, message.reason, message.eta_at, attested)


def check_speaker(order: OpenOrder, spoken: Said) -> None:
    """Only the party an order went to may answer it. Raises Refusal."""
    if spoken.party != order.party:
        raise Refusal(
            "not_your_order",
            f"order {order.order_id} went to {order.party}, so {spoken.party} can't answer it: "
            f"answer orders of your own dispatch topic, or let the post record what {order.party} said",
        )


def moves_on(order: OpenOrder, spoken: Said) -> bool:
    """Whether the answer says something new; what is over, or was said before, changes nothing."""
    if order.said in (Answer.DONE, Answer.DECLINED):
        return False
    return spoken.answer is Answer.DECLINED or RANK[spoken.answer] > RANK[order.said]


def limit_s(limits: OrderLimits, awaited: Answer) -> int:
    """Seconds allowed for an answer."""
    match awaited:
        case Answer.RECEIVED:
            return limits.receive.seconds
        case Answer.ACCEPTED:
            return limits.accept.seconds
        case Answer.EN_ROUTE:
            return limits.en_route.seconds
        case Answer.REPORTED_IN:
            return limits.report_in.seconds
        case Answer.DONE:
            return limits.done.seconds
        case Answer.DECLINED:
            raise AssertionError("nobody is awaited to decline")


def first_deadline(
    order_id: str, incident_id: str, party: str, limits: OrderLimits, desk: Desk
) -> Iterator[DeadlineSet]:
    """The deadline of a new order: its receipt."""
    yield deadlines.opened(
        desk,
        name=Answer.RECEIVED.value,
        subject=order_id,
        incident_id=incident_id,
        span_s=limits.receive.seconds,
        answered_by=party,
    )


def next_deadline(order: OpenOrder, after: Answer | None, limits: OrderLimits, desk: Desk) -> list[DeadlineSet]:
    """The deadline for what is awaited next. `reported_in` runs from the order, the others from now."""
    awaited = NEXT[after]
    if awaited is None:
        return []
    return [
        deadlines.opened(
            desk,
            name=awaited.value,
            subject=order.order_id,
            incident_id=order.incident_id,
            span_s=limit_s(limits, awaited),
            answered_by=order.party,
            since=order.ordered_at if awaited is Answer.REPORTED_IN else None,
        )
    ]


def escalated(deadline: DeadlineSet, desk: Desk) -> tuple[str | None, list[DeadlineSet]]:
    """Who is told on this rung, and the deadline of the next one; the last rung has none, a person has it then.

    Nobody is told of his own silence on a rung of his own.
    """
    ladder = [party for party in desk.policy.escalation if party != deadline.answered_by]
    if deadline.rung >= len(ladder):
        return None, []
    following = deadlines.opened(
        desk,
        name=deadline.name,
        subject=deadline.subject,
        incident_id=deadline.incident_id,
        span_s=desk.policy.limits.escalation_step.seconds,
        answered_by=deadline.answered_by,
        rung=deadline.rung + 1,
    )
    return ladder[deadline.rung], [following] if deadline.rung + 1 < len(ladder) else []
