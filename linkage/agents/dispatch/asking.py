"""A township whose own teams are used up asks the county's hub for one, waits by a deadline, and asks again."""

from collections.abc import Iterator

from linkage import identity
from linkage.agents import deadlines
from linkage.agents.desk import Desk
from linkage.agents.dispatch.state import Dispatch, Need, Request
from linkage.errors import Refusal
from linkage.events.between_hubs import AnswerTeamRequest, ReportLentTeam
from linkage.events.deadlines import DeadlineSet
from linkage.events.dispatch import (
    Candidate,
    CountyTeamPromised,
    CountyTeamRefused,
    CountyTeamRequested,
    CountyUnanswered,
    LentTeamChanged,
    LentTeamGivenBack,
    TeamsExhausted,
)
from linkage.events.envelope import Fact
from linkage.events.inbound import WithdrawTeam
from linkage.events.whistle import Because

COUNTY_ANSWER = "county_answer"
COUNTY_RETRY = "county_retry"


def requested(
    need: Need,
    slot: int,
    attempt: int,
    because: Because,
    replaces: str | None,
    considered: tuple[Candidate, ...],
    refusals: int,
    desk: Desk,
) -> Iterator[Fact]:
    """The county is asked; at the county's own hub nobody is left to ask."""
    incident = need.briefing.incident_id
    if desk.reference.is_county:
        yield TeamsExhausted(incident_id=incident, slot=slot, asked=attempt, reason="no county team is free")
        return
    request_id = identity.request_id(incident, slot, attempt)
    yield CountyTeamRequested(
        request_id=request_id,
        incident_id=incident,
        slot=slot,
        attempt=attempt,
        refusals=refusals,
        because=because,
        replaces=replaces,
        considered=considered,
        skill=need.skill,
        excluded=need.tried,
        briefing=need.briefing,
        requested_at=desk.now,
    )
    yield _waiting(request_id, incident, COUNTY_ANSWER, desk.policy.limits.county_answer.seconds, 0, desk)


def on_county_answer(state: Dispatch, answer: AnswerTeamRequest, desk: Desk) -> Iterator[Fact]:
    request = state.requests.get(answer.request_id)
    if request is None or request.is_over:
        return
    yield from deadlines.ended(state.deadlines, request.request_id, "met", answer.reason or "the county answered")
    if answer.granted and answer.order_id is not None and answer.team is not None:
        yield CountyTeamPromised(
            request_id=request.request_id,
            incident_id=request.incident_id,
            order_id=answer.order_id,
            team=answer.team,
            team_zh=answer.team_zh,
        )
        return
    will_retry = request.refusals < desk.policy.team_retries
    retry_s = desk.policy.limits.team_retry.seconds if will_retry else None
    yield CountyTeamRefused(
        request_id=request.request_id, incident_id=request.incident_id, reason=answer.reason, retry_s=retry_s
    )
    if retry_s is not None:
        yield _waiting(request.request_id, request.incident_id, COUNTY_RETRY, retry_s, 0, desk)
        return
    asked = request.refusals + 1
    yield TeamsExhausted(incident_id=request.incident_id, slot=request.slot, asked=asked, reason=answer.reason)


def on_lent_report(state: Dispatch, report: ReportLentTeam, desk: Desk) -> Iterator[Fact]:
    if report.request_id not in state.requests:
        return
    yield LentTeamChanged(
        request_id=report.request_id,
        incident_id=report.incident_id,
        order_id=report.order_id,
        team=report.team,
        state=report.state,
        reason=report.reason,
    )


def on_due(state: Dispatch, deadline: DeadlineSet, desk: Desk) -> Iterator[Fact]:
    """The county has not answered: the next rung is told. Or it is time to ask again."""
    request = state.requests[deadline.subject]
    if deadline.name == COUNTY_RETRY:
        yield from deadlines.ended(state.deadlines, request.request_id, "met", "asked again")
        need = state.incidents[request.incident_id]
        yield from requested(need, request.slot, request.attempt + 1, "first", None, (), request.refusals + 1, desk)
        return
    reason = f"the county has not answered within {deadline.span_s} s"
    yield from deadlines.ended(state.deadlines, request.request_id, "overdue", reason)
    rung = deadline.rung + 1
    yield CountyUnanswered(
        request_id=request.request_id, incident_id=request.incident_id, rung=rung, limit_s=deadline.span_s
    )
    if rung < len(desk.policy.escalation):
        span_s = desk.policy.limits.escalation_step.seconds
        yield _waiting(request.request_id, request.incident_id, COUNTY_ANSWER, span_s, rung, desk)


def given_back(state: Dispatch, command: WithdrawTeam, desk: Desk) -> Iterator[Fact]:
    """The post names an order of the county's team: the county is asked to stand it down. Raises Refusal."""
    found = next((one for _, one in sorted(state.requests.items()) if one.order_id == command.order_id), None)
    if found is None or found.is_over:
        raise Refusal(
            "no_such_order",
            f"hub {desk.hub} has no open order {command.order_id} to a team: it is over, or another hub's",
        )
    yield from ended(state, found.request_id, command.reason)
    if command.replace and not _was_asked_again(state, found):
        need = state.incidents[found.incident_id]
        yield from requested(need, found.slot, found.attempt + 1, "declined", found.order_id, (), found.refusals, desk)


def _was_asked_again(state: Dispatch, request: Request) -> bool:
    """A team that fell silent may still come, but its seat was asked for anew."""
    asked = (state.requests[known] for known in state.incidents[request.incident_id].requests)
    return any(one.slot == request.slot and one.attempt > request.attempt for one in asked)


def ended(state: Dispatch, request_id: str, reason: str) -> Iterator[Fact]:
    """A request is over: its clock is lifted, the county is told."""
    request = state.requests[request_id]
    yield from deadlines.ended(state.deadlines, request_id, "lifted", reason)
    if not request.is_over:
        yield LentTeamGivenBack(
            request_id=request_id, incident_id=request.incident_id, order_id=request.order_id, reason=reason
        )


def _waiting(request_id: str, incident: str, name: str, span_s: int, rung: int, desk: Desk) -> DeadlineSet:
    return deadlines.opened(
        desk, name=name, subject=request_id, incident_id=incident, span_s=span_s, answered_by=None, rung=rung
    )
