"""OPEN INCIDENTS 在处事件: level, whistle, teams and the next deadline of each; and who is still on his way back."""

from collections.abc import Iterable, Iterator

from linkage.agents.dispatch.asking import COUNTY_RETRY
from linkage.agents.dispatch.state import Lending, TeamOrder
from linkage.agents.information import Incident
from linkage.console import typed
from linkage.console.rows import ComingBack, IncidentRow, TeamCount, WhistleCount
from linkage.console.scene import Scene
from linkage.events.inbound import Answer
from linkage.events.outbound import Briefing


def open_incidents(scene: Scene) -> tuple[IncidentRow, ...]:
    """This hub's own, oldest first; at the county then those its teams were lent to, by township."""
    own = sorted(scene.home.information.incidents.values(), key=lambda one: (one.opened_at, one.incident_id))
    return (*(_own(scene, incident) for incident in own), *_lent_out(scene))


def coming_back(scene: Scene) -> tuple[ComingBack, ...]:
    """Teams of this hub that were called back and have not said that they are done, soonest first."""
    rows = []
    for order in sorted(scene.home.dispatch.orders.values(), key=lambda one: one.order_id):
        if order.is_standing_down and not order.is_released:
            deadline = scene.home.deadline_of(order.order_id)
            rows.append(
                ComingBack(
                    team=scene.labels.team(order.team),
                    order_id=order.order_id,
                    incident_id=order.incident_id,
                    due_at=deadline.due_at if deadline else None,
                    command=typed.record_answer(scene.post, order.order_id, order.party),
                )
            )
    return tuple(sorted(rows, key=lambda row: (row.due_at is None, row.due_at or 0, row.order_id)))


def _own(scene: Scene, incident: Incident) -> IncidentRow:
    briefing = scene.home.assessment.incidents[incident.incident_id].briefing
    return IncidentRow(
        incident_id=incident.incident_id,
        township=None,
        kind=scene.labels.kind(briefing.kind),
        place=scene.labels.place(briefing.place),
        level=briefing.level,
        level_is_provisional=briefing.level_is_provisional,
        exercise=briefing.exercise,
        opened_at=incident.opened_at,
        reports=len(incident.reports),
        whistle=_whistle(scene, incident.incident_id),
        teams=_own_teams(scene, incident.incident_id),
        next_deadline=scene.next_deadline(incident.incident_id),
    )


def _whistle(scene: Scene, incident_id: str) -> WhistleCount | None:
    """A seat that is only notified is none to be filled."""
    state = scene.home.whistle
    blown = state.incidents.get(incident_id)
    if blown is None:
        return None
    filled = {
        state.orders[order_id].slot
        for order_id in blown.orders
        if state.orders[order_id].said in (Answer.REPORTED_IN, Answer.DONE)
    }
    seats = [index for index, slot in enumerate(blown.slots) if slot.relation != "notified"]
    return WhistleCount(len(seats), len(filled))


def _own_teams(scene: Scene, incident_id: str) -> TeamCount:
    """This hub's teams, and the county's that were lent for it."""
    state = scene.home.dispatch
    need = state.incidents.get(incident_id)
    if need is None:
        return TeamCount()
    states = [_state_of(state.orders[order_id]) for order_id in need.orders]
    for request_id in need.requests:
        request = state.requests[request_id]
        if request.is_over:
            states += ["asked_of_county"] if _is_asked_again(scene, request_id) else []
            continue
        lending = scene.county.dispatch.lendings.get(request_id) if not scene.is_county else None
        lent = [_state_of(scene.county.dispatch.orders[one]) for one in lending.orders] if lending else []
        came = [one for one in lent if one != "declined"]
        states += came or ["ordered" if request.order_id else "asked_of_county"]
    return _counted(states, need.slots)


def _is_asked_again(scene: Scene, request_id: str) -> bool:
    """The county had none free; it will be asked again by itself."""
    deadline = scene.home.deadline_of(request_id)
    return deadline is not None and deadline.name == COUNTY_RETRY


def _lent_out(scene: Scene) -> Iterator[IncidentRow]:
    """One row for each township's incident that this county's teams are out for."""
    if not scene.is_county:
        return
    state = scene.home.dispatch
    by_incident: dict[tuple[str, str], list[Lending]] = {}
    for request_id in sorted(state.lendings):
        lending = state.lendings[request_id]
        if any(not state.orders[order_id].is_released for order_id in lending.orders):
            by_incident.setdefault((lending.township, lending.incident_id), []).append(lending)
    for (township, incident_id), lendings in sorted(by_incident.items()):
        states = [_state_of(state.orders[order_id]) for lending in lendings for order_id in lending.orders]
        yield _lent_row(scene, township, incident_id, lendings[-1].briefing, _counted(states, len(lendings)))


def _lent_row(scene: Scene, township: str, incident_id: str, briefing: Briefing, teams: TeamCount) -> IncidentRow:
    return IncidentRow(
        incident_id=incident_id,
        township=scene.labels.hub(township),
        kind=scene.labels.kind(briefing.kind),
        place=scene.labels.place(briefing.place),
        level=briefing.level,
        level_is_provisional=briefing.level_is_provisional,
        exercise=briefing.exercise,
        opened_at=None,
        reports=0,
        whistle=None,
        teams=teams,
        next_deadline=scene.next_deadline(incident_id),
    )


def _counted(states: Iterable[str], needed: int) -> TeamCount:
    counts: dict[str, int] = {}
    for state in states:
        if state != "declined":
            counts[state] = counts.get(state, 0) + 1
    return TeamCount(needed=needed, **counts)


def _state_of(order: TeamOrder) -> str:
    """A name of TeamCount's, or `declined`."""
    if order.is_released:
        return "declined" if order.said is Answer.DECLINED else "done"
    if order.is_unreachable:
        return "silent"
    if order.is_standing_down:
        return "standing_down"
    match order.said:
        case None | Answer.RECEIVED:
            return "ordered"
        case Answer.ACCEPTED | Answer.EN_ROUTE:
            return "going"
        case Answer.REPORTED_IN:
            return "at_the_scene"
        case Answer.DONE:
            return "done"
        case Answer.DECLINED:
            return "declined"
