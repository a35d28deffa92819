"""Admission: from a record of a party's topic to an inbox record. Who sent it is who the topic says.

A report goes to the township it states, anything else to the county's hub. Nothing is dropped here: what can't be
read, or may not be said on that topic, becomes an inbox record of the county's hub, which refuses it inside its
transaction, with the reason and the bytes.
"""

from datetime import datetime
from typing import cast

from pydantic import BaseModel, TypeAdapter, ValidationError

from linkage import identity, wire
from linkage.events.base import filled, instant
from linkage.events.envelope import InboxKind, InboxRecord, Origin, PartyMessage
from linkage.events.inbound import (
    AnswerOrder,
    CloseIncident,
    JudgeLink,
    LoadReference,
    PlaceReport,
    RecordAnswer,
    ReportIncident,
    WithdrawTeam,
)
from linkage.events.reception import UnreadableRecord
from linkage.runtime.letters import letter_of, unreadable
from linkage.runtime.ports import Record
from linkage.runtime.registry import Registry
from linkage.topics import Family

ALLOWED: dict[Family, tuple[type[BaseModel], ...]] = {
    Family.REPORT: (ReportIncident,),
    Family.REPLY: (AnswerOrder,),
    Family.COMMAND: (RecordAnswer, WithdrawTeam, CloseIncident, PlaceReport, JudgeLink, LoadReference),
}
"""What may be said on which kind of topic."""

_BY_TYPE: dict[Family, dict[str, type[BaseModel]]] = {
    family: {kind.model_fields["type"].default: kind for kind in kinds} for family, kinds in ALLOWED.items()
}
ERRORS_NAMED_LIMIT_COUNT = 3
_INSTANT: TypeAdapter[datetime | None] = TypeAdapter(datetime | None)


class NotAdmitted(Exception):
    """Why a record is refused; `reason` tells its sender what to mend."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


def admitted(
    record: Record, family: Family, party: str, registry: Registry, key: bytes, log_ids: dict[int, str]
) -> tuple[int, InboxRecord]:
    """(inbox partition, inbox record) of a party's record. `key`: for the digests. The county must be known."""
    county = registry.county
    assert county is not None
    coordinates = f"{record.topic}/{record.partition}/{record.offset}"
    message_id, sent_at, hub, kind = coordinates, None, county, _KIND[family]
    raw = record.value or b""
    content: PartyMessage | UnreadableRecord
    try:
        attributes, data = _event(record)
        message_id = attributes.id
        sent_at = _time(attributes.time)
        content = _message(attributes, data, family)
        hub = _placed(content, party, registry, county)
        digest = identity.digest(key, content.__pydantic_serializer__.to_json(content))
    except NotAdmitted as refusal:
        content, kind = unreadable(refusal.code, refusal.reason, raw), "ingress"
        digest = identity.digest(key, raw)
    partition = identity.partition_of(hub, len(log_ids))
    letter = letter_of(
        log_id=log_ids[partition],
        hub=hub,
        kind=kind,
        sender=party,
        message_id=message_id,
        digest=digest,
        sent_at=sent_at,
        origin=filled(
            Origin,
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
            appended_at=instant(record.timestamp_ms),
        ),
        data=content,
    )
    return partition, letter


_KIND: dict[Family, InboxKind] = {Family.REPORT: "report", Family.REPLY: "reply", Family.COMMAND: "command"}


def _event(record: Record) -> tuple[wire.Attributes, bytes]:
    try:
        return wire.read(record.headers, record.value)
    except wire.NotACloudEvent as error:
        raise NotAdmitted("unreadable", f"no CloudEvents 1.0 event: {error}") from error


def _time(stated: str | None) -> datetime | None:
    try:
        at = _INSTANT.validate_python(stated)
    except ValidationError as error:
        raise NotAdmitted("not_valid", f"`time` is {stated!r}; write RFC 3339 with an offset") from error
    if at is not None and at.tzinfo is None:
        raise NotAdmitted("not_valid", f"`time` is {stated!r}, without an offset from UTC; write RFC 3339 with one")
    return at


def _message(attributes: wire.Attributes, data: bytes, family: Family) -> PartyMessage:
    allowed = _BY_TYPE[family]
    if attributes.type not in allowed:
        raise NotAdmitted(
            "not_allowed_here",
            f"type {attributes.type!r} may not be sent on a {family}* topic: {', '.join(allowed)} may",
        )
    try:
        message = allowed[attributes.type].model_validate_json(data)
    except ValidationError as error:
        raise NotAdmitted("not_valid", _named(error)) from error
    return cast(PartyMessage, message)


def _named(error: ValidationError) -> str:
    """The first few errors, each with the field it is about."""
    found = error.errors(include_url=False, include_input=False)
    named = [f"{'.'.join(str(part) for part in one['loc']) or 'data'}: {one['msg']}" for one in found]
    more = f" (and {len(named) - ERRORS_NAMED_LIMIT_COUNT} more)" if len(named) > ERRORS_NAMED_LIMIT_COUNT else ""
    return "; ".join(named[:ERRORS_NAMED_LIMIT_COUNT]) + more


def _placed(message: PartyMessage, party: str, registry: Registry, county: str) -> str:
    """The hub that a message is for."""
    if party not in registry.parties:
        raise NotAdmitted(
            "not_registered", f"{party} is not registered in county {county}: the county's desk registers it"
        )
    match message:
        case ReportIncident():
            stated = (message.hub, message.place.hub)
            return next((hub for hub in stated if hub in registry.townships), county)
        case AnswerOrder():
            if message.hub != county and message.hub not in registry.townships:
                raise NotAdmitted(
                    "no_such_hub", f"hub {message.hub} is not in county {county}: repeat the hub that the order named"
                )
            return message.hub
        case LoadReference():
            if registry.hub_of(party) != county:
                raise NotAdmitted("not_allowed_here", "only the county's post loads reference data")
            return message.hub
        case PlaceReport():
            if registry.hub_of(party) != county:
                raise NotAdmitted("not_allowed_here", "only the county's post places reports")
            return county
        case RecordAnswer() | WithdrawTeam() | CloseIncident() | JudgeLink():
            hub = registry.hub_of(party)
            if hub is None:
                raise NotAdmitted("not_allowed_here", f"{party} is no command post")
            return hub
