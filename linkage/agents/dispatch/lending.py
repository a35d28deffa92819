"""The county's side of a township's request: one of its own teams is ordered, replaced, called back."""

from collections.abc import Iterator

from linkage.agents.desk import Desk
from linkage.agents.dispatch import choice, teams
from linkage.agents.dispatch.state import Dispatch, TeamOrder
from linkage.events.between_hubs import ReleaseLentTeam, RequestCountyTeam
from linkage.events.dispatch import (
    Candidate,
    Lent,
    TeamReleased,
    TeamRequestTaken,
    TeamRequestUnmet,
    TeamRequestWithdrawn,
)
from linkage.events.envelope import Fact
from linkage.events.whistle import Because


def on_request(state: Dispatch, request: RequestCountyTeam, desk: Desk) -> Iterator[Fact]:
    if request.request_id in state.lendings:
        return
    yield TeamRequestTaken(
        request_id=request.request_id,
        township=request.township,
        incident_id=request.briefing.incident_id,
        briefing=request.briefing,
        skill=request.skill,
        excluded=request.excluded,
    )
    lent = Lent(request_id=request.request_id, township=request.township)
    place = request.briefing.place
    team, considered = choice.choose(state, place, request.township, request.skill, request.excluded, desk)
    if team is None:
        yield _unmet(lent, request.briefing.incident_id, None, considered)
        return
    yield from choice.ordered(
        team,
        considered,
        request.briefing,
        subject=request.request_id,
        slot=0,
        attempt=1,
        because="first",
        replaces=None,
        lent=lent,
        desk=desk,
    )


def replaced(state: Dispatch, order: TeamOrder, because: Because, desk: Desk) -> Iterator[Fact]:
    """The county's next team for the same request, or word that none is free."""
    assert order.lent is not None
    lending = state.lendings[order.lent.request_id]
    team, considered = choice.choose(
        state, lending.briefing.place, lending.township, lending.skill, lending.tried, desk
    )
    if team is None:
        yield _unmet(order.lent, order.incident_id, order.order_id, considered)
        return
    yield from choice.ordered(
        team,
        considered,
        lending.briefing,
        subject=order.lent.request_id,
        slot=0,
        attempt=order.attempt + 1,
        because=because,
        replaces=order.order_id,
        lent=order.lent,
        desk=desk,
    )


def on_release(state: Dispatch, release: ReleaseLentTeam, desk: Desk) -> Iterator[Fact]:
    lending = state.lendings.get(release.request_id)
    if lending is None or lending.is_over:
        return
    yield TeamRequestWithdrawn(request_id=release.request_id, incident_id=release.incident_id, reason=release.reason)
    for order_id in lending.orders:
        order = state.orders[order_id]
        if not order.is_released and not order.is_standing_down:
            yield from teams.stood_down(state, order, release.reason, False, desk)
    yield teams.over(state, release.request_id, desk.policy.limits.incident_memory.seconds, desk)


def on_settled(state: Dispatch, fact: TeamReleased | TeamRequestUnmet, desk: Desk) -> Iterator[Fact]:
    """No team of ours is out for the request any more: it is over without the township giving anything back."""
    request_id = fact.request_id if isinstance(fact, TeamRequestUnmet) else fact.lent.request_id if fact.lent else ""
    lending = state.lendings.get(request_id)
    if lending is None or lending.is_over or any(not state.orders[one].is_released for one in lending.orders):
        return
    yield teams.over(state, request_id, desk.policy.limits.incident_memory.seconds, desk)


def _unmet(lent: Lent, incident: str, replaces: str | None, considered: tuple[Candidate, ...]) -> TeamRequestUnmet:
    return TeamRequestUnmet(
        request_id=lent.request_id,
        township=lent.township,
        incident_id=incident,
        replaces=replaces,
        considered=considered,
        reason="no county team is free",
    )
