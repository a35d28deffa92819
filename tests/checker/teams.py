"""A team has one holder: from the order that sends it until it is released."""

from collections.abc import Iterator

from tests.checker.evidence import Evidence, Violation

ORDERED, RELEASED = "linkage.TeamOrdered.v0", "linkage.TeamReleased.v0"


def team_faults(evidence: Evidence) -> Iterator[Violation]:
    """No team has two holders at once; only its holder's order is released; one hub alone orders it."""
    holders: dict[str, str] = {}
    homes: dict[str, str] = {}
    for step in evidence.steps:
        for fact in step.facts_of(ORDERED, RELEASED):
            team, order_id = fact["team"], fact["order_id"]
            if homes.setdefault(team, step.hub) != step.hub:
                yield step.violation("teams", f"team {team} of hub {homes[team]} moves at hub {step.hub}")
            elif fact["type"] == ORDERED:
                if team in holders:
                    yield step.violation("teams", f"team {team} is held by {holders[team]} and ordered by {order_id}")
                holders[team] = order_id
            elif holders.get(team) == order_id:
                del holders[team]
            else:
                yield step.violation("teams", f"{order_id} releases team {team}, held by {holders.get(team)}")
