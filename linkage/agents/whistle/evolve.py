"""How facts change what `whistle` knows. Nothing is judged here."""

from linkage.agents import deadlines
from linkage.agents.desk import Evolves
from linkage.agents.whistle.state import Blown, Whistle, WhistleOrder
from linkage.events.deadlines import AnswerAwaited, DeadlineEnded, DeadlineSet
from linkage.events.whistle import (
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


def blown(state: Whistle, fact: WhistleBlown) -> Whistle:
    return state._replace(incidents=state.incidents.set(fact.incident_id, Blown(fact.briefing, fact.slots)))


def briefing_changed(state: Whistle, fact: WhistleBriefingChanged) -> Whistle:
    known = state.incidents[fact.incident_id]._replace(briefing=fact.briefing)
    return state._replace(incidents=state.incidents.set(fact.incident_id, known))


def whistled(state: Whistle, fact: DepartmentWhistled) -> Whistle:
    order = WhistleOrder(
        fact.order_id, fact.incident_id, fact.slot, fact.attempt, fact.party, fact.relation, fact.ordered_at
    )
    orders_now = state.orders.set(fact.order_id, order)
    if fact.replaces is not None:
        orders_now = orders_now.set(fact.replaces, orders_now[fact.replaces]._replace(is_replaced=True))
    known = state.incidents[fact.incident_id]
    grown = known._replace(orders=(*known.orders, fact.order_id))
    return state._replace(orders=orders_now, incidents=state.incidents.set(fact.incident_id, grown))


def answered(state: Whistle, fact: DepartmentAnswered) -> Whistle:
    if not fact.changed:
        return state
    order = state.orders[fact.order_id]._replace(said=fact.answer)
    return state._replace(orders=state.orders.set(fact.order_id, order))


def stood_down(state: Whistle, fact: DepartmentStoodDown) -> Whistle:
    order = state.orders[fact.order_id]._replace(revision=fact.revision, is_over=True)
    return state._replace(orders=state.orders.set(fact.order_id, order))


def over(state: Whistle, fact: WhistleEnded) -> Whistle:
    incidents, orders_left = state.incidents, state.orders
    for incident in fact.forgotten:
        for order_id in incidents[incident].orders:
            orders_left = orders_left.delete(order_id)
        incidents = incidents.delete(incident)
    closed = state.closed.without(fact.forgotten)
    if fact.incident_id in incidents:
        closed = closed.with_ended(fact.incident_id, fact.forget_at)
    return state._replace(incidents=incidents, orders=orders_left, closed=closed)


def deadline(state: Whistle, fact: DeadlineSet | DeadlineEnded) -> Whistle:
    return state._replace(deadlines=deadlines.evolve(state.deadlines, fact))


def unchanged(
    state: Whistle, fact: DepartmentNotified | DepartmentOverdue | DepartmentsExhausted | AnswerAwaited
) -> Whistle:
    """What was told to people changes nothing here."""
    return state


EVOLVES: Evolves = {
    WhistleBlown: blown,
    WhistleBriefingChanged: briefing_changed,
    DepartmentWhistled: whistled,
    DepartmentAnswered: answered,
    DepartmentStoodDown: stood_down,
    WhistleEnded: over,
    DeadlineSet: deadline,
    DeadlineEnded: deadline,
    DepartmentNotified: unchanged,
    DepartmentOverdue: unchanged,
    DepartmentsExhausted: unchanged,
    AnswerAwaited: unchanged,
}
