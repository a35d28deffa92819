"""Who hears of teams: their owners, the post, the ladder, and the other hub of a lent team."""

from collections.abc import Iterator

from linkage import identity, narration
from linkage.agents.desk import Desk
from linkage.events import dispatch
from linkage.events.between_hubs import (
    AnswerTeamRequest,
    LentTeamState,
    ReleaseLentTeam,
    ReportLentTeam,
    RequestCountyTeam,
)
from linkage.events.inbound import Answer
from linkage.events.outbound import (
    DispatchTeam,
)
from linkage.narration import Text
from linkage.routing.address import Addressed, Route, To, stand_down, tell


def _team_ordered(fact: dispatch.TeamOrdered, desk: Desk) -> Iterator[Addressed]:
    text = narration.team_ordered(fact, desk)
    order = DispatchTeam(
        order_id=fact.order_id,
        hub=desk.hub,
        relation=fact.relation,
        ordered_at=fact.ordered_at,
        text_en=text.en,
        text_zh=text.zh,
        party=fact.party,
        team=fact.team,
        team_zh=fact.team_zh,
        briefing=fact.briefing,
        receive_by=fact.receive_by,
        report_in_by=fact.report_in_by,
    )
    yield Addressed(To.PARTY, fact.party, identity.message_id(fact.order_id, 1), fact.order_id, order)
    if fact.lent is not None:
        granted = AnswerTeamRequest(
            request_id=fact.lent.request_id,
            incident_id=fact.incident_id,
            granted=True,
            order_id=fact.order_id,
            team=fact.team,
            team_zh=fact.team_zh,
        )
        message_id = identity.message_id("granted", fact.lent.request_id, fact.order_id)
        yield Addressed(To.HUB, fact.lent.township, message_id, fact.lent.request_id, granted)


def _team_answered(fact: dispatch.TeamAnswered, desk: Desk) -> Iterator[Addressed]:
    if not fact.changed:
        return
    if fact.answer is Answer.DECLINED:
        text = narration.declined(_team(fact.team, desk), fact.reason)
        yield from tell("declined", (), fact.order_id, text, desk)
    elif fact.lent is not None and fact.answer is not Answer.DONE:
        yield _lent(fact, fact.lent, LENT_STATE[fact.answer], fact.reason)


def _team_overdue(fact: dispatch.TeamOverdue, desk: Desk) -> Iterator[Addressed]:
    told = narration.party(fact.told, desk) if fact.told else None
    text = narration.overdue(fact, _team(fact.team, desk), told)
    yield from tell("overdue", (fact.told,), fact.order_id, text, desk, fact.awaited, fact.rung)
    if fact.lent is not None and fact.is_unreachable:
        yield _lent(fact, fact.lent, "unreachable", f"not {fact.awaited.value} within {fact.limit_s} s", fact.rung)


def _team_stood_down(fact: dispatch.TeamStoodDown, desk: Desk) -> Iterator[Addressed]:
    team_zh = desk.reference.teams[fact.team].label_zh if fact.team in desk.reference.teams else fact.team
    yield stand_down(fact, fact.party, fact.team, narration.stood_down(fact.reason, team_zh, ""), desk)
    if fact.lent is not None:
        yield _lent(fact, fact.lent, "standing_down", fact.reason)


def _team_released(fact: dispatch.TeamReleased, desk: Desk) -> Iterator[Addressed]:
    if fact.lent is not None:
        yield _lent(fact, fact.lent, "released", fact.reason)


def _teams_exhausted(fact: dispatch.TeamsExhausted, desk: Desk) -> Iterator[Addressed]:
    text = narration.teams_exhausted(fact)
    told = desk.policy.escalation[-1:] or (None,)
    yield from tell("teams_exhausted", told, fact.incident_id, text, desk, fact.slot, fact.asked)


def _county_requested(fact: dispatch.CountyTeamRequested, desk: Desk) -> Iterator[Addressed]:
    request = RequestCountyTeam(
        request_id=fact.request_id,
        township=desk.hub,
        briefing=fact.briefing,
        skill=fact.skill,
        attempt=fact.attempt,
        excluded=fact.excluded,
    )
    message_id = identity.message_id("request", fact.request_id)
    yield Addressed(To.HUB, identity.county_of(desk.hub), message_id, fact.request_id, request)


def _given_back(fact: dispatch.LentTeamGivenBack, desk: Desk) -> Iterator[Addressed]:
    release = ReleaseLentTeam(
        request_id=fact.request_id, order_id=fact.order_id, incident_id=fact.incident_id, reason=fact.reason
    )
    message_id = identity.message_id("release", fact.request_id)
    yield Addressed(To.HUB, identity.county_of(desk.hub), message_id, fact.request_id, release)


def _county_unanswered(fact: dispatch.CountyUnanswered, desk: Desk) -> Iterator[Addressed]:
    told = desk.policy.escalation[fact.rung - 1] if fact.rung <= len(desk.policy.escalation) else None
    text = narration.county_unanswered(fact)
    yield from tell("county_unanswered", (told,), fact.request_id, text, desk, fact.rung)


def _request_unmet(fact: dispatch.TeamRequestUnmet, desk: Desk) -> Iterator[Addressed]:
    answer = AnswerTeamRequest(
        request_id=fact.request_id, incident_id=fact.incident_id, granted=False, reason=fact.reason
    )
    message_id = identity.message_id("unmet", fact.request_id, fact.replaces or "first")
    yield Addressed(To.HUB, fact.township, message_id, fact.request_id, answer)


LENT_STATE: dict[Answer, LentTeamState] = {
    Answer.RECEIVED: "received",
    Answer.ACCEPTED: "accepted",
    Answer.EN_ROUTE: "en_route",
    Answer.REPORTED_IN: "reported_in",
}

LentFact = dispatch.TeamAnswered | dispatch.TeamOverdue | dispatch.TeamStoodDown | dispatch.TeamReleased


def _lent(fact: LentFact, lent: dispatch.Lent, state: LentTeamState, reason: str, *more: object) -> Addressed:
    report = ReportLentTeam(
        request_id=lent.request_id,
        incident_id=fact.incident_id,
        order_id=fact.order_id,
        team=fact.team,
        state=state,
        reason=reason,
    )
    message_id = identity.message_id("lent", fact.order_id, state, *more)
    return Addressed(To.HUB, lent.township, message_id, lent.request_id, report)


def _team(name: str, desk: Desk) -> Text:
    team = desk.reference.teams.get(name)
    return Text(team.label_en, team.label_zh) if team else Text(name, name)


ROUTES: dict[type, Route] = {
    dispatch.TeamOrdered: _team_ordered,
    dispatch.TeamAnswered: _team_answered,
    dispatch.TeamOverdue: _team_overdue,
    dispatch.TeamStoodDown: _team_stood_down,
    dispatch.TeamReleased: _team_released,
    dispatch.TeamsExhausted: _teams_exhausted,
    dispatch.CountyTeamRequested: _county_requested,
    dispatch.LentTeamGivenBack: _given_back,
    dispatch.CountyUnanswered: _county_unanswered,
    dispatch.TeamRequestUnmet: _request_unmet,
}
