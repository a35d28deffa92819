"""What `whistle` decides on each event."""

from collections.abc import Iterator
from datetime import timedelta

from linkage import identity
from linkage.agents import deadlines, orders
from linkage.agents.desk import Decides, Desk
from linkage.agents.whistle.state import Whistle, WhistleOrder
from linkage.events.assessment import IncidentAssessed
from linkage.events.deadlines import AnswerUnknown, DeadlineDue
from linkage.events.envelope import Fact
from linkage.events.inbound import Answer, AnswerOrder, RecordAnswer
from linkage.events.information import IncidentClosed
from linkage.events.outbound import Briefing
from linkage.events.reference import WhistleSlot
from linkage.events.whistle import (
    Because,
    DepartmentAnswered,
    DepartmentNotified,
    DepartmentOverdue,
    DepartmentsExhausted,
    DepartmentStoodDown,
    DepartmentWhistled,
    WhistleBlown,
    WhistleBriefingChanged,
    WhistleEnded,
)

STAGE = "whistle"
FALLBACK_BASIS = "no whistle rule for this kind: the first of the escalation ladder leads [D]"


def on_assessed(state: Whistle, assessed: IncidentAssessed, desk: Desk) -> Iterator[Fact]:
    if assessed.incident_id in state.incidents:
        if state.incidents[assessed.incident_id].briefing != assessed.briefing:
            yield WhistleBriefingChanged(incident_id=assessed.incident_id, briefing=assessed.briefing)
        return
    rule = desk.reference.whistle_rule(assessed.briefing.kind)
    slots = rule.slots if rule else _fallback(desk)
    yield WhistleBlown(
        incident_id=assessed.incident_id,
        briefing=assessed.briefing,
        slots=slots,
        rule=rule.kind if rule else "none",
        basis=rule.basis if rule else FALLBACK_BASIS,
        policy_version=desk.policy.version,
        blown_at=desk.now,
    )
    for index, slot in enumerate(slots):
        if slot.relation == "notified":
            yield DepartmentNotified(
                incident_id=assessed.incident_id, slot=index, party=slot.candidates[0], briefing=assessed.briefing
            )
        else:
            yield from _whistled(assessed.briefing, slot, index, 1, "first", None, desk)


def on_answer(state: Whistle, message: AnswerOrder | RecordAnswer, desk: Desk) -> Iterator[Fact]:
    spoken = orders.said(message, desk)
    order = state.orders.get(spoken.order_id)
    if order is None:
        return
    orders.check_speaker(order, spoken)
    changed = not order.is_over and orders.moves_on(order, spoken)
    yield DepartmentAnswered(
        order_id=order.order_id,
        incident_id=order.incident_id,
        party=order.party,
        answer=spoken.answer,
        reason=spoken.reason,
        eta_at=spoken.eta_at,
        attested=spoken.attested,
        answered_at=desk.now,
        changed=changed,
    )
    if not changed:
        return
    if spoken.answer is Answer.DECLINED:
        yield from deadlines.ended(state.deadlines, order.order_id, "met", "declined")
        yield from _next_candidate(state, order, "declined", desk)
        return
    yield from deadlines.ended(state.deadlines, order.order_id, "met", spoken.answer.value)
    yield from orders.next_deadline(order, spoken.answer, desk.policy.limits.department, desk)


def on_due(state: Whistle, due: DeadlineDue, desk: Desk) -> Iterator[Fact]:
    if (deadline := deadlines.overdue(state.deadlines, due, desk)) is None:
        return
    order = state.orders[deadline.subject]
    told, following = orders.escalated(deadline, desk)
    reason = f"{order.party}: not {deadline.name} within {deadline.span_s} s"
    yield from deadlines.ended(state.deadlines, order.order_id, "overdue", reason)
    yield DepartmentOverdue(
        order_id=order.order_id,
        incident_id=order.incident_id,
        party=order.party,
        awaited=Answer(deadline.name),
        rung=deadline.rung + 1,
        told=told,
        limit_s=deadline.span_s,
    )
    yield from following
    if deadline.name == Answer.RECEIVED and deadline.rung == 0:
        yield from _next_candidate(state, order, "silent", desk)


def on_unknown(state: Whistle, unknown: AnswerUnknown, desk: Desk) -> Iterator[Fact]:
    yield from deadlines.awaited(state.deadlines, unknown)


def on_closed(state: Whistle, closed: IncidentClosed, desk: Desk) -> Iterator[Fact]:
    blown = state.incidents.get(closed.incident_id)
    for order_id in blown.orders if blown else ():
        order = state.orders[order_id]
        yield from deadlines.ended(state.deadlines, order_id, "lifted", "incident closed")
        if not order.is_over and order.said not in (Answer.DONE, Answer.DECLINED):
            yield DepartmentStoodDown(
                order_id=order_id,
                revision=order.revision + 1,
                incident_id=closed.incident_id,
                party=order.party,
                relation=order.relation,
                reason=closed.reason,
                stood_down_at=desk.now,
            )
    forget_at = desk.now + timedelta(seconds=closed.kept_s)
    forgotten = tuple(state.closed.due(desk.now))
    yield WhistleEnded(incident_id=closed.incident_id, forget_at=forget_at, forgotten=forgotten)


def _fallback(desk: Desk) -> tuple[WhistleSlot, ...]:
    return tuple(WhistleSlot(role="lead", candidates=(first,)) for first in desk.policy.escalation[:1])


def _whistled(
    briefing: Briefing,
    slot: WhistleSlot,
    index: int,
    attempt: int,
    because: Because,
    replaces: str | None,
    desk: Desk,
) -> Iterator[Fact]:
    """The order to the attempt's candidate, and the deadline for its receipt."""
    party = slot.candidates[attempt - 1]
    limits = desk.policy.limits.department
    order_id = identity.order_id(briefing.incident_id, STAGE, index, attempt, party)
    yield DepartmentWhistled(
        order_id=order_id,
        incident_id=briefing.incident_id,
        slot=index,
        attempt=attempt,
        party=party,
        role=slot.role,
        relation=slot.relation,
        because=because,
        replaces=replaces,
        considered=slot.candidates,
        briefing=briefing,
        ordered_at=desk.now,
        receive_by=desk.now + timedelta(seconds=limits.receive.seconds),
        report_in_by=desk.now + timedelta(seconds=limits.report_in.seconds),
    )
    yield from orders.first_deadline(order_id, briefing.incident_id, party, limits, desk)


def _next_candidate(state: Whistle, order: WhistleOrder, because: Because, desk: Desk) -> Iterator[Fact]:
    if order.is_replaced:
        return
    blown = state.incidents[order.incident_id]
    slot = blown.slots[order.slot]
    if order.attempt < len(slot.candidates):
        attempt = order.attempt + 1
        yield from _whistled(blown.briefing, slot, order.slot, attempt, because, order.order_id, desk)
        return
    yield DepartmentsExhausted(incident_id=order.incident_id, slot=order.slot, because=because, tried=slot.candidates)


DECIDES: Decides = {
    IncidentAssessed: on_assessed,
    AnswerOrder: on_answer,
    RecordAnswer: on_answer,
    DeadlineDue: on_due,
    AnswerUnknown: on_unknown,
    IncidentClosed: on_closed,
}
