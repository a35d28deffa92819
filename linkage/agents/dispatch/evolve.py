"""How facts change what `dispatch` knows. Nothing is judged here."""

from linkage.agents import deadlines
from linkage.agents.desk import Evolves
from linkage.agents.dispatch.state import Dispatch, Lending, Need, Request, TeamOrder
from linkage.events.deadlines import AnswerAwaited, DeadlineEnded, DeadlineSet
from linkage.events.dispatch import (
    CountyTeamPromised,
    CountyTeamRefused,
    CountyTeamRequested,
    CountyUnanswered,
    DispatchEnded,
    LentTeamChanged,
    LentTeamGivenBack,
    TeamAnswered,
    TeamOrdered,
    TeamOverdue,
    TeamReleased,
    TeamRequestTaken,
    TeamRequestUnmet,
    TeamRequestWithdrawn,
    TeamsExhausted,
    TeamsRequired,
    TeamStoodDown,
)


def required(state: Dispatch, fact: TeamsRequired) -> Dispatch:
    known = state.incidents.get(fact.incident_id) or Need(fact.briefing, fact.skill)
    need = known._replace(briefing=fact.briefing, skill=fact.skill, slots=max(known.slots, fact.needed))
    return state._replace(incidents=state.incidents.set(fact.incident_id, need))


def ordered(state: Dispatch, fact: TeamOrdered) -> Dispatch:
    order = TeamOrder(
        fact.order_id,
        fact.incident_id,
        fact.slot,
        fact.attempt,
        fact.team,
        fact.party,
        fact.relation,
        fact.ordered_at,
        fact.lent,
    )
    holders = state.holders.set(fact.team, fact.order_id)
    orders = _replaced(state, fact.replaces).orders.set(fact.order_id, order)
    if fact.lent is not None:
        lending = state.lendings[fact.lent.request_id]
        lending = lending._replace(orders=(*lending.orders, fact.order_id), tried=(*lending.tried, fact.team))
        lendings = state.lendings.set(fact.lent.request_id, lending)
        return state._replace(holders=holders, orders=orders, lendings=lendings)
    need = state.incidents[fact.incident_id]
    need = need._replace(orders=(*need.orders, fact.order_id), tried=(*need.tried, fact.team))
    return state._replace(holders=holders, orders=orders, incidents=state.incidents.set(fact.incident_id, need))


def _replaced(state: Dispatch, order_id: str | None) -> Dispatch:
    """The order whose seat another takes; a county's order is not in this book."""
    if order_id is None or order_id not in state.orders:
        return state
    return state._replace(orders=state.orders.set(order_id, state.orders[order_id]._replace(is_replaced=True)))


def answered(state: Dispatch, fact: TeamAnswered) -> Dispatch:
    if not fact.changed:
        return state
    order = state.orders[fact.order_id]._replace(said=fact.answer, is_unreachable=False)
    return state._replace(orders=state.orders.set(fact.order_id, order))


def overdue(state: Dispatch, fact: TeamOverdue) -> Dispatch:
    if not fact.is_unreachable:
        return state
    order = state.orders[fact.order_id]._replace(is_unreachable=True)
    return state._replace(orders=state.orders.set(fact.order_id, order))


def stood_down(state: Dispatch, fact: TeamStoodDown) -> Dispatch:
    order = state.orders[fact.order_id]._replace(revision=fact.revision, is_standing_down=True)
    return state._replace(orders=state.orders.set(fact.order_id, order))


def released(state: Dispatch, fact: TeamReleased) -> Dispatch:
    order = state.orders[fact.order_id]._replace(is_released=True, is_unreachable=False)
    return state._replace(orders=state.orders.set(fact.order_id, order), holders=state.holders.delete(fact.team))


def requested(state: Dispatch, fact: CountyTeamRequested) -> Dispatch:
    request = Request(fact.request_id, fact.incident_id, fact.slot, fact.attempt, fact.refusals)
    need = state.incidents[fact.incident_id]
    need = need._replace(requests=(*need.requests, fact.request_id))
    return _replaced(state, fact.replaces)._replace(
        requests=state.requests.set(fact.request_id, request),
        incidents=state.incidents.set(fact.incident_id, need),
    )


def promised(state: Dispatch, fact: CountyTeamPromised) -> Dispatch:
    request = state.requests[fact.request_id]._replace(order_id=fact.order_id, team=fact.team)
    need = state.incidents[fact.incident_id]
    need = need._replace(tried=(*need.tried, fact.team))
    return state._replace(
        requests=state.requests.set(fact.request_id, request),
        incidents=state.incidents.set(fact.incident_id, need),
    )


def refused(state: Dispatch, fact: CountyTeamRefused) -> Dispatch:
    """A team that was promised before, and then fell silent, may still come: its request is over only with it."""
    known = state.requests[fact.request_id]
    request = known._replace(is_over=known.order_id is None)
    return state._replace(requests=state.requests.set(fact.request_id, request))


def lent_changed(state: Dispatch, fact: LentTeamChanged) -> Dispatch:
    if fact.state != "released":
        return state
    known = state.requests[fact.request_id]
    is_current = known.order_id == fact.order_id
    request = known._replace(is_over=known.is_over or (is_current and fact.reason == "done"))
    return state._replace(requests=state.requests.set(fact.request_id, request))


def given_back(state: Dispatch, fact: LentTeamGivenBack) -> Dispatch:
    request = state.requests[fact.request_id]._replace(is_over=True)
    return state._replace(requests=state.requests.set(fact.request_id, request))


def taken(state: Dispatch, fact: TeamRequestTaken) -> Dispatch:
    lending = Lending(fact.township, fact.incident_id, fact.briefing, fact.skill, fact.excluded)
    return state._replace(lendings=state.lendings.set(fact.request_id, lending))


def unmet(state: Dispatch, fact: TeamRequestUnmet) -> Dispatch:
    return _replaced(state, fact.replaces)


def withdrawn(state: Dispatch, fact: TeamRequestWithdrawn) -> Dispatch:
    lending = state.lendings[fact.request_id]._replace(is_over=True)
    return state._replace(lendings=state.lendings.set(fact.request_id, lending))


def ended(state: Dispatch, fact: DispatchEnded) -> Dispatch:
    """Forgets what nobody can ask about any more, and remembers what has just ended."""
    orders, incidents, requests, lendings = state.orders, state.incidents, state.requests, state.lendings
    for subject in fact.forgotten:
        known = incidents.get(subject) or lendings.get(subject)
        for order_id in known.orders if known else ():
            orders = orders.delete(order_id)
        if subject in incidents:
            for request_id in incidents[subject].requests:
                requests = requests.delete(request_id)
            incidents = incidents.delete(subject)
        elif subject in lendings:
            lendings = lendings.delete(subject)
    if fact.subject in lendings:
        lendings = lendings.set(fact.subject, lendings[fact.subject]._replace(is_over=True))
    return state._replace(
        orders=orders,
        incidents=incidents,
        requests=requests,
        lendings=lendings,
        closed=state.closed.without(fact.forgotten).with_ended(fact.subject, fact.forget_at),
    )


def deadline(state: Dispatch, fact: DeadlineSet | DeadlineEnded) -> Dispatch:
    return state._replace(deadlines=deadlines.evolve(state.deadlines, fact))


def unchanged(state: Dispatch, fact: TeamsExhausted | CountyUnanswered | AnswerAwaited) -> Dispatch:
    """What was told to people changes nothing here."""
    return state


EVOLVES: Evolves = {
    TeamsRequired: required,
    TeamOrdered: ordered,
    TeamAnswered: answered,
    TeamOverdue: overdue,
    TeamStoodDown: stood_down,
    TeamReleased: released,
    CountyTeamRequested: requested,
    CountyTeamPromised: promised,
    CountyTeamRefused: refused,
    LentTeamChanged: lent_changed,
    LentTeamGivenBack: given_back,
    TeamRequestTaken: taken,
    TeamRequestWithdrawn: withdrawn,
    DispatchEnded: ended,
    DeadlineSet: deadline,
    DeadlineEnded: deadline,
    TeamRequestUnmet: unmet,
    TeamsExhausted: unchanged,
    CountyUnanswered: unchanged,
    AnswerAwaited: unchanged,
}
