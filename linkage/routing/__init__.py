"""Fact -> addressed messages: who must hear of it, on which topic. Ids derive from meaning, so the same is the same."""

from collections.abc import Sequence

from linkage.agents.desk import Desk
from linkage.events.envelope import StagedFact
from linkage.routing import border, dispatch, information, reception, whistle
from linkage.routing.address import Addressed, Route, To

ROUTES: dict[type, Route] = {
    **information.ROUTES,
    **border.ROUTES,
    **whistle.ROUTES,
    **dispatch.ROUTES,
    **reception.ROUTES,
}
"""Facts that nobody outside the hub must hear of have no route; a test names them."""


def messages(facts: Sequence[StagedFact], desk: Desk) -> list[Addressed]:
    """Everything that leaves because of a step, in the order of its facts."""
    routed: list[Addressed] = []
    for staged in facts:
        if (route := ROUTES.get(type(staged.fact))) is not None:
            routed += route(staged.fact, desk)
    return routed


__all__ = ["ROUTES", "Addressed", "To", "messages"]
