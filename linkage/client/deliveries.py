"""What a dispatch topic brings: a typed message with its attributes and its place in the topic."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from linkage import wire
from linkage.events.envelope import PARTY_BOUND
from linkage.events.outbound import (
    DispatchTeam,
    GiveNotice,
    IssueReceipt,
    IssueRefusal,
    StandDown,
    WhistleDepartment,
)

Order = WhistleDepartment | DispatchTeam | StandDown
"""What a department or a team's owner answers."""

EngineAnswer = IssueReceipt | IssueRefusal
"""What the engine says about a message that it was sent."""

NO_EVENT = wire.Attributes(id="", source="", type="")


@dataclass(frozen=True, slots=True)
class UnknownMessage:
    """A message that this version of the client does not know: a newer engine's, or no event at all.

    `data` is the JSON as it came (None when it is none), `text_en` and `text_zh` what it says to people, if it does.
    """

    type: str
    data: Any
    raw: bytes
    problem: str

    @property
    def text_en(self) -> str:
        return self._text("text_en")

    @property
    def text_zh(self) -> str:
        return self._text("text_zh")

    def _text(self, name: str) -> str:
        return str(self.data.get(name, "")) if isinstance(self.data, dict) else ""


Message = WhistleDepartment | DispatchTeam | StandDown | GiveNotice | IssueReceipt | IssueRefusal | UnknownMessage


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message of a dispatch topic. `timestamp_ms` is the broker's append time, milliseconds since 1970."""

    message: Message
    attributes: wire.Attributes
    offset: int
    timestamp_ms: int


def read_delivery(
    headers: Sequence[tuple[str, bytes | None]], value: bytes | None, *, offset: int, timestamp_ms: int
) -> Delivery:
    """Never raises: what cannot be read is delivered as UnknownMessage."""
    named = [(name, item or b"") for name, item in headers]  # some clients write headers without a value
    try:
        attributes, data = wire.read(named, value)
    except wire.NotACloudEvent as problem:
        return Delivery(_unknown("", value or b"", str(problem)), NO_EVENT, offset, timestamp_ms)
    try:
        message: Message = PARTY_BOUND.validate_json(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "data"
        message = _unknown(attributes.type, data, f"{where}: {first['msg']}")
    return Delivery(message, attributes, offset, timestamp_ms)


def _unknown(kind: str, raw: bytes, problem: str) -> UnknownMessage:
    try:
        data = json.loads(raw)
    except (ValueError, RecursionError):
        data = None
    return UnknownMessage(kind, data, raw, problem)
