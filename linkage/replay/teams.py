"""The teams table: which teams were ordered and why, what they answered, who replaced whom, what the county lent."""

from collections.abc import Sequence
from datetime import datetime

from linkage.events.dispatch import (
    CountyTeamPromised,
    CountyTeamRefused,
    CountyTeamRequested,
    LentTeamGivenBack,
    TeamAnswered,
    TeamOrdered,
    TeamOverdue,
    TeamReleased,
    TeamsRequired,
    TeamStoodDown,
)
from linkage.events.inbound import Answer
from linkage.replay.chronicle import Noted, of_type
from linkage.replay.departments import reached
from linkage.replay.labels import Label, Labels
from linkage.replay.report import Considered, CountyAnswer, CountyRequest, Reached, TeamLine

COUNTY_SAYS: dict[type, str] = {
    CountyTeamPromised: "promised",
    CountyTeamRefused: "refused",
    LentTeamGivenBack: "given back",
}


def team_lines(noted: Sequence[Noted], labels: Labels) -> tuple[TeamLine, ...]:
    """One line for each order, in the order in which they were given."""
    ordered = list(of_type(noted, TeamOrdered))
    by_id = {one.fact.order_id: one.fact for one in ordered}
    successors = _successors(noted, labels)
    skill = next((one.fact.skill for one in of_type(noted, TeamsRequired)), "")
    return tuple(_line(one, noted, by_id, successors.get(one.fact.order_id), skill, labels) for one in ordered)


def _successors(noted: Sequence[Noted], labels: Labels) -> dict[str, Label]:
    """order -> who took its seat: a team, or the county where one was asked for."""
    found: dict[str, Label] = {}
    for one in of_type(noted, TeamOrdered, CountyTeamRequested):
        if one.fact.replaces is None:
            continue
        is_team = isinstance(one.fact, TeamOrdered)
        found[one.fact.replaces] = (
            labels.team(one.fact.team, one.fact.team_zh)
            if is_team
            else Label(one.fact.request_id, "a county team", "县级队伍")
        )
    return found


def _line(
    noted_order: Noted,
    noted: Sequence[Noted],
    by_id: dict[str, TeamOrdered],
    successor: Label | None,
    skill: str,
    labels: Labels,
) -> TeamLine:
    order: TeamOrdered = noted_order.fact
    own = [one for one in noted if getattr(one.fact, "order_id", None) == order.order_id]
    answers = _answers(own, order.ordered_at)
    said = dict(answers)
    silent_at = next((one.at for one in of_type(own, TeamOverdue) if one.fact.is_unreachable), None)
    down_at = next((one.at for one in of_type(own, TeamStoodDown)), None)
    before = by_id.get(order.replaces or "")
    known = labels.teams.get(order.team)
    return TeamLine(
        order_id=order.order_id,
        hub=noted_order.hub,
        slot=order.slot,
        attempt=order.attempt,
        team=labels.team(order.team, order.team_zh),
        people=known.people if known else None,
        is_county=order.lent is not None,
        request_id=order.lent.request_id if order.lent else None,
        ordered_at=order.ordered_at,
        answers=tuple(answers),
        arrived=said.get(Answer.REPORTED_IN.value),
        done=said.get(Answer.DONE.value),
        silent_at=silent_at,
        stood_down_at=down_at,
        released_at=next((one.at for one in of_type(own, TeamReleased)), None),
        outcome=_outcome(said, silent_at, down_at),
        reason=said[Answer.DECLINED.value].reason if Answer.DECLINED.value in said else "",
        because=order.because,
        replaces=labels.team(before.team, before.team_zh) if before else None,
        replaced_by=successor,
        skill=skill,
        considered=_considered(order, labels),
    )


def _answers(own: Sequence[Noted], ordered_at: datetime) -> list[tuple[str, Reached]]:
    return [
        (fact.answer.value, reached(fact.answered_at, ordered_at, fact.attested, fact.reason))
        for fact in (one.fact for one in of_type(own, TeamAnswered))
        if fact.changed
    ]


def _considered(order: TeamOrdered, labels: Labels) -> tuple[Considered, ...]:
    return tuple(Considered(labels.team(one.team), one.minutes, one.has_skill, one.verdict) for one in order.considered)


def _outcome(said: dict[str, Reached], silent_at: datetime | None, down_at: datetime | None) -> str:
    for answer, word in ((Answer.DECLINED, "declined"), (Answer.DONE, "done")):
        if answer.value in said:
            return word
    if down_at is not None:
        return "called back"
    if not said and silent_at is not None:
        return "silent"
    return "arrived" if Answer.REPORTED_IN.value in said else "open"


def county_requests(noted: Sequence[Noted], labels: Labels) -> tuple[CountyRequest, ...]:
    """The township's requests to the county, and what came of them."""
    orders = {one.fact.order_id: one.fact for one in of_type(noted, TeamOrdered)}
    return tuple(_request(one.fact, noted, orders, labels) for one in of_type(noted, CountyTeamRequested))


def _request(
    asked: CountyTeamRequested, noted: Sequence[Noted], orders: dict[str, TeamOrdered], labels: Labels
) -> CountyRequest:
    own = [one for one in noted if getattr(one.fact, "request_id", None) == asked.request_id]
    answers = tuple(_county_answer(one, labels) for one in of_type(own, *COUNTY_SAYS))
    before = orders.get(asked.replaces or "")
    return CountyRequest(
        request_id=asked.request_id,
        slot=asked.slot,
        attempt=asked.attempt,
        asked_at=asked.requested_at,
        because=asked.because,
        replaces=labels.team(before.team, before.team_zh) if before else None,
        refusals=asked.refusals,
        outcome=answers[-1].outcome if answers else "open",
        answers=answers,
    )


def _county_answer(noted: Noted, labels: Labels) -> CountyAnswer:
    fact = noted.fact
    team = labels.team(fact.team, fact.team_zh) if isinstance(fact, CountyTeamPromised) else None
    return CountyAnswer(noted.at, COUNTY_SAYS[type(fact)], team, getattr(fact, "reason", ""))
