"""Orders to this hub's own teams: filling what an incident needs, answers, silence, standing down."""

from collections.abc import Iterator
from datetime import timedelta

from linkage.agents import deadlines, orders
from linkage.agents.desk import Desk
from linkage.agents.dispatch import asking, choice, lending
from linkage.agents.dispatch.state import Dispatch, Need, TeamOrder
from linkage.errors import Refusal
from linkage.events.assessment import IncidentAssessed
from linkage.events.deadlines import AnswerUnknown, DeadlineDue, DeadlineSet
from linkage.events.dispatch import (
    DispatchEnded,
    TeamAnswered,
    TeamOrdered,
    TeamOverdue,
    TeamReleased,
    TeamsRequired,
    TeamStoodDown,
)
from linkage.events.envelope import Fact
from linkage.events.inbound import Answer, AnswerOrder, RecordAnswer, WithdrawTeam
from linkage.events.information import IncidentClosed
from linkage.events.whistle import Because

STAND_DOWN = "stand_down"
ANY_SKILL = "general"
FALLBACK_BASIS = "no team rule for this kind: one team goes [D]"


def on_assessed(state: Dispatch, assessed: IncidentAssessed, desk: Desk) -> Iterator[Fact]:
    rule = desk.reference.team_rule(assessed.briefing.kind)
    needed = rule.needed(assessed.level) if rule else 1
    skill = rule.skill if rule else ANY_SKILL
    known = state.incidents.get(assessed.incident_id)
    if known is not None and known.briefing == assessed.briefing:
        return
    yield TeamsRequired(
        incident_id=assessed.incident_id,
        briefing=assessed.briefing,
        needed=needed,
        skill=skill,
        rule=rule.kind if rule else "none",
        basis=rule.basis if rule else FALLBACK_BASIS,
        policy_version=desk.policy.version,
    )
    need = known or Need(assessed.briefing, skill)
    tried = list(need.tried)
    for slot in range(need.slots, needed):
        for fact in _filled(state, need, slot, 1, tried, "first", None, desk):
            if isinstance(fact, TeamOrdered):
                tried.append(fact.team)
            yield fact


def _filled(
    state: Dispatch,
    need: Need,
    slot: int,
    attempt: int,
    tried: list[str],
    because: Because,
    replaces: str | None,
    desk: Desk,
) -> Iterator[Fact]:
    """One seat's next attempt: the best own team, else the county is asked."""
    briefing = need.briefing
    team, considered = choice.choose(state, briefing.place, desk.hub, need.skill, tried, desk)
    if team is None:
        yield from asking.requested(need, slot, attempt, because, replaces, considered, 0, desk)
        return
    yield from choice.ordered(
        team,
        considered,
        briefing,
        subject=briefing.incident_id,
        slot=slot,
        attempt=attempt,
        because=because,
        replaces=replaces,
        lent=None,
        desk=desk,
    )


def on_answer(state: Dispatch, message: AnswerOrder | RecordAnswer, desk: Desk) -> Iterator[Fact]:
    spoken = orders.said(message, desk)
    order = state.orders.get(spoken.order_id)
    if order is None:
        return
    orders.check_speaker(order, spoken)
    is_leaving = spoken.answer in (Answer.DONE, Answer.DECLINED)
    changed = not order.is_released and (is_leaving if order.is_standing_down else orders.moves_on(order, spoken))
    yield TeamAnswered(
        order_id=order.order_id,
        incident_id=order.incident_id,
        team=order.team,
        party=order.party,
        answer=spoken.answer,
        reason=spoken.reason,
        eta_at=spoken.eta_at,
        attested=spoken.attested,
        answered_at=desk.now,
        changed=changed,
        lent=order.lent,
    )
    if not changed:
        return
    yield from deadlines.ended(state.deadlines, order.order_id, "met", spoken.answer.value)
    if not is_leaving:
        yield from orders.next_deadline(order, spoken.answer, desk.policy.limits.team, desk)
        return
    yield TeamReleased(
        order_id=order.order_id,
        incident_id=order.incident_id,
        team=order.team,
        reason=spoken.answer.value,
        released_at=desk.now,
        lent=order.lent,
    )
    if spoken.answer is Answer.DECLINED and not order.is_standing_down:
        yield from replaced(state, order, "declined", desk)


def on_due(state: Dispatch, due: DeadlineDue, desk: Desk) -> Iterator[Fact]:
    if (deadline := deadlines.overdue(state.deadlines, due, desk)) is None:
        return
    order = state.orders.get(deadline.subject)
    if order is None:
        yield from asking.on_due(state, deadline, desk)
        return
    told, following = orders.escalated(deadline, desk)
    reason = f"{order.team}: not {deadline.name} within {deadline.span_s} s"
    yield from deadlines.ended(state.deadlines, order.order_id, "overdue", reason)
    is_silent = deadline.name in (Answer.RECEIVED, Answer.ACCEPTED, STAND_DOWN)
    yield TeamOverdue(
        order_id=order.order_id,
        incident_id=order.incident_id,
        team=order.team,
        awaited=Answer.DONE if deadline.name == STAND_DOWN else Answer(deadline.name),
        rung=deadline.rung + 1,
        told=told,
        limit_s=deadline.span_s,
        is_unreachable=is_silent,
        lent=order.lent,
    )
    yield from following
    if is_silent and deadline.rung == 0 and not order.is_standing_down:
        yield from replaced(state, order, "silent", desk)


def replaced(state: Dispatch, order: TeamOrder, because: Because, desk: Desk) -> Iterator[Fact]:
    """The next attempt in the seat of a team that will not come; once only."""
    if order.is_replaced:
        return
    if order.lent is not None:
        yield from lending.replaced(state, order, because, desk)
        return
    need = state.incidents[order.incident_id]
    yield from _filled(state, need, order.slot, order.attempt + 1, [*need.tried], because, order.order_id, desk)


def on_withdraw(state: Dispatch, command: WithdrawTeam, desk: Desk) -> Iterator[Fact]:
    order = state.orders.get(command.order_id)
    if order is None:
        yield from asking.given_back(state, command, desk)
        return
    if order.is_released or order.is_standing_down:
        raise Refusal(
            "order_is_over", f"order {order.order_id} is over: team {order.team} was released or called back already"
        )
    yield from stood_down(state, order, command.reason, command.replace, desk)
    if command.replace:
        yield from replaced(state, order, "declined", desk)


def stood_down(state: Dispatch, order: TeamOrder, reason: str, is_replaced: bool, desk: Desk) -> Iterator[Fact]:
    """The team is called back; it stays held, by a deadline, until it says that it is done."""
    yield from deadlines.ended(state.deadlines, order.order_id, "lifted", reason)
    yield TeamStoodDown(
        order_id=order.order_id,
        revision=order.revision + 1,
        incident_id=order.incident_id,
        team=order.team,
        party=order.party,
        relation=order.relation,
        reason=reason,
        is_replaced=is_replaced,
        stood_down_at=desk.now,
        lent=order.lent,
    )
    yield _stand_down_deadline(order, desk)


def _stand_down_deadline(order: TeamOrder, desk: Desk) -> DeadlineSet:
    return deadlines.opened(
        desk,
        name=STAND_DOWN,
        subject=order.order_id,
        incident_id=order.incident_id,
        span_s=desk.policy.limits.stand_down.seconds,
        answered_by=order.party,
    )


def on_closed(state: Dispatch, closed: IncidentClosed, desk: Desk) -> Iterator[Fact]:
    need = state.incidents.get(closed.incident_id)
    for order_id in need.orders if need else ():
        order = state.orders[order_id]
        if not order.is_released and not order.is_standing_down:
            yield from stood_down(state, order, closed.reason, False, desk)
    for request_id in need.requests if need else ():
        yield from asking.ended(state, request_id, closed.reason)
    yield over(state, closed.incident_id, closed.kept_s, desk)


def over(state: Dispatch, subject: str, kept_s: int, desk: Desk) -> DispatchEnded:
    """The incident or request is over; those whose time has come, and whose teams are all back, are forgotten."""
    return DispatchEnded(
        subject=subject,
        forget_at=desk.now + timedelta(seconds=kept_s),
        forgotten=tuple(known for known in state.closed.due(desk.now) if _everybody_is_back(state, known)),
    )


def _everybody_is_back(state: Dispatch, subject: str) -> bool:
    known = state.incidents.get(subject) or state.lendings.get(subject)
    return known is None or all(state.orders[order_id].is_released for order_id in known.orders)


def on_unknown(state: Dispatch, unknown: AnswerUnknown, desk: Desk) -> Iterator[Fact]:
    yield from deadlines.awaited(state.deadlines, unknown)
