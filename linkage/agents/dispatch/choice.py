"""Which team is next, and why: every candidate with its travel minutes, skill and verdict."""

from collections.abc import Collection, Iterator
from datetime import timedelta

from linkage import identity
from linkage.agents import orders
from linkage.agents.desk import Desk
from linkage.agents.dispatch.state import Dispatch
from linkage.events.base import Place
from linkage.events.dispatch import Candidate, Lent, TeamOrdered, Verdict
from linkage.events.envelope import Fact
from linkage.events.outbound import Briefing
from linkage.events.reference import Team
from linkage.events.whistle import Because

STAGE = "dispatch"


def choose(
    state: Dispatch, place: Place, township: str, skill: str, tried: Collection[str], desk: Desk
) -> tuple[Team | None, tuple[Candidate, ...]]:
    """The nearest free team with the skill, else the nearest free one; and all that were considered, best first."""

    reference = desk.reference
    ranked = sorted(
        (skill not in team.skills, reference.minutes(team, place.village, township), team.id)
        for team in reference.teams.values()
    )
    chosen: Team | None = None
    considered: list[Candidate] = []
    for lacks_skill, minutes, name in ranked:
        verdict = _verdict(state, name, tried)
        if verdict == "free" and chosen is None:
            chosen, verdict = reference.teams[name], "chosen"
        considered.append(Candidate(team=name, minutes=minutes, has_skill=not lacks_skill, verdict=verdict))
    return chosen, tuple(considered)


def _verdict(state: Dispatch, team: str, tried: Collection[str]) -> Verdict:
    """`excluded`: it was asked for this incident before. Its order may be ending in this very step."""
    holder = state.holders.get(team)
    if holder is not None and state.orders[holder].is_unreachable:
        return "unreachable"
    if team in tried:
        return "excluded"
    return "free" if holder is None else "held"


def ordered(
    team: Team,
    considered: tuple[Candidate, ...],
    briefing: Briefing,
    *,
    subject: str,
    slot: int,
    attempt: int,
    because: Because,
    replaces: str | None,
    lent: Lent | None,
    desk: Desk,
) -> Iterator[Fact]:
    """The order, and the deadline for its receipt. `subject`: the incident, or the request that it serves."""
    limits = desk.policy.limits.team
    order_id = identity.order_id(subject, STAGE, slot, attempt, team.id)
    yield TeamOrdered(
        order_id=order_id,
        incident_id=briefing.incident_id,
        slot=slot,
        attempt=attempt,
        team=team.id,
        team_zh=team.label_zh,
        party=team.owner,
        relation="commanded",
        lent=lent,
        because=because,
        replaces=replaces,
        considered=considered,
        briefing=briefing,
        ordered_at=desk.now,
        receive_by=desk.now + timedelta(seconds=limits.receive.seconds),
        report_in_by=desk.now + timedelta(seconds=limits.report_in.seconds),
    )
    yield from orders.first_deadline(order_id, briefing.incident_id, team.owner, limits, desk)
