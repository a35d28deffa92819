"""An addressed message, and the two kinds that several stages send: notices and stand-downs."""

from collections.abc import Callable, Iterator
from enum import Enum
from typing import Any, NamedTuple

from linkage import identity
from linkage.agents.desk import Desk
from linkage.events import dispatch, whistle
from linkage.events.base import Frozen
from linkage.events.outbound import (
    GiveNotice,
    StandDown,
)
from linkage.narration import Text


class To(Enum):
    """Where a message goes: a party's dispatch topic, another hub's inbox, or the operators' rejected topic."""

    PARTY = "party"
    HUB = "hub"
    REJECTED = "rejected"


class Addressed(NamedTuple):
    """A message and its address: a party, a hub, or the hub whose operators see it."""

    to: To
    name: str
    message_id: str
    subject: str
    message: Frozen

    @property
    def type(self) -> str:
        return str(getattr(self.message, "type"))  # noqa: B009  every message has one, the base has not


Route = Callable[[Any, Desk], Iterator[Addressed]]


def notice(code: str, party: str, subject: str, text: Text, desk: Desk, *more: object) -> Addressed:
    notice = GiveNotice(
        code=code, hub=desk.hub, party=party, subject=subject, text_en=text.en[:2000], text_zh=text.zh[:2000]
    )
    message_id = identity.message_id("notice", code, desk.hub, party, subject, *more)
    return Addressed(To.PARTY, party, message_id, subject, notice)


def tell(
    code: str, told: tuple[str | None, ...], subject: str, text: Text, desk: Desk, *more: object
) -> Iterator[Addressed]:
    """The same notice to the post and to each of `told`, once each."""
    for party in dict.fromkeys((desk.reference.content.post, *told)):
        if party is not None:
            yield notice(code, party, subject, text, desk, *more)


def stand_down(
    fact: whistle.DepartmentStoodDown | dispatch.TeamStoodDown, party: str, team: str | None, text: Text, desk: Desk
) -> Addressed:
    order = StandDown(
        order_id=fact.order_id,
        revision=fact.revision,
        hub=desk.hub,
        relation=fact.relation,
        ordered_at=fact.stood_down_at,
        text_en=text.en[:2000],
        text_zh=text.zh[:2000],
        party=party,
        team=team,
        incident_id=fact.incident_id,
        reason=fact.reason,
    )
    return Addressed(To.PARTY, party, identity.message_id(fact.order_id, fact.revision), fact.order_id, order)
