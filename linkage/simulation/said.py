"""What somebody says at an instant: an event of a file, put on the topic that its sender would use."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from linkage import wire
from linkage.county import County
from linkage.events.base import milliseconds
from linkage.events.inbound import AnswerOrder, ReportIncident
from linkage.runtime.ports import Outgoing
from linkage.topics import Topics

REPORT = ReportIncident.model_fields["type"].default
REPLY = AnswerOrder.model_fields["type"].default


class NoInstant(ValueError):
    """The event's `time` is no instant; the text says what stands there."""


@dataclass(frozen=True, slots=True)
class Said:
    """An event as it will be sent. `at_ms`: when, in milliseconds since 1970; `attributes.source` is the party."""

    at_ms: int
    attributes: wire.Attributes
    data: bytes

    @property
    def is_report(self) -> bool:
        return bool(self.attributes.type == REPORT)

    def problem(self, county: County) -> str | None:
        """Why this party has no topic for it in this county; None when it has."""
        party, kind = self.attributes.source, self.attributes.type
        speakers = county.sources if kind == REPORT else county.parties if kind == REPLY else county.posts
        return None if party in speakers else f"{party!r} may not send {kind} in county {county.code}"

    def outgoing(self, topics: Topics) -> Outgoing:
        """On the report topic, the reply topic or, whatever else it is, the command topic of its sender."""
        party, kind = self.attributes.source, self.attributes.type
        if kind == REPORT:
            topic = topics.report(party)
        else:
            topic = topics.reply(party) if kind == REPLY else topics.command(party)
        return Outgoing(topic, 0, self.attributes.id.encode(), self.data, wire.headers(self.attributes))


def instant_ms(stated: str | None, otherwise_ms: int) -> int:
    """The instant of an event's `time`, or the other one when it states none. Raises NoInstant."""
    if stated is None:
        return otherwise_ms
    try:
        at = datetime.fromisoformat(stated)
    except ValueError as error:
        raise NoInstant(f"`time` is {stated!r}, no RFC 3339 time") from error
    if at.tzinfo is None:
        raise NoInstant(f"`time` is {stated!r}, a time without zone")
    return milliseconds(at)


def in_order(said: Iterable[Said]) -> list[Said]:
    """By instant; what is said at the same instant stays in the order of the file."""
    return sorted(said, key=lambda one: one.at_ms)
