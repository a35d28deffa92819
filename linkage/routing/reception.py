"""Receipts, refusals, and what operators must know of the way in."""

from base64 import b64encode
from collections.abc import Iterator

from linkage import identity, narration
from linkage.agents.desk import Desk
from linkage.events import deadlines, reception
from linkage.events.outbound import (
    IssueReceipt,
    IssueRefusal,
    RejectRecord,
)
from linkage.routing.address import Addressed, Route, To, tell

REJECTED_BYTES_LIMIT = 700_000
"""Bytes of a refused record that go to the rejected topic; the journal holds it whole."""


def _awaited(fact: deadlines.AnswerAwaited, desk: Desk) -> Iterator[Addressed]:
    text = narration.answer_awaited(fact)
    yield from tell("answer_unknown", (), fact.subject, text, desk, fact.deadline_id, fact.waited_s)


def _source_gap(fact: reception.SourceGapRecorded, desk: Desk) -> Iterator[Addressed]:
    text = narration.source_gap(fact)
    yield from tell("source_gap", (), fact.topic, text, desk, fact.partition, fact.from_offset)


def _receipt(fact: reception.MessageRecorded | reception.MessageRepeated, desk: Desk) -> Iterator[Addressed]:
    """Reports and commands get receipts; what an answer changed, its party's order shows."""
    if fact.kind == "reply":
        return
    text = narration.receipt(fact.outcome, fact.incident_id)
    receipt = IssueReceipt(
        hub=desk.hub,
        party=fact.sender,
        message_id=fact.message_id,
        outcome=fact.outcome,
        incident_id=fact.incident_id,
        text_en=text.en,
        text_zh=text.zh,
    )
    message_id = identity.message_id("receipt", fact.sender, fact.message_id, desk.hub, fact.outcome)
    yield Addressed(To.PARTY, fact.sender, message_id, fact.message_id, receipt)


def _refused(fact: reception.MessageRefused, desk: Desk) -> Iterator[Addressed]:
    text = narration.refusal(fact)
    message_id = identity.message_id("refusal", fact.sender, fact.message_id, fact.digest, fact.code)
    refusal = IssueRefusal(
        hub=desk.hub,
        party=fact.sender,
        message_id=fact.message_id,
        code=fact.code,
        fault=fact.fault,
        may_be_sent_again=True,
        text_en=text.en,
        text_zh=text.zh,
    )
    if desk.letter.origin is not None:
        yield Addressed(To.PARTY, fact.sender, message_id, fact.message_id, refusal)
    clear = desk.letter.data.model_dump_json().encode()[:REJECTED_BYTES_LIMIT]
    rejected = RejectRecord(
        hub=desk.hub,
        party=fact.sender,
        code=fact.code,
        reason=fact.reason,
        message_id=fact.message_id,
        bytes_base64=getattr(desk.letter.data, "bytes_base64", b64encode(clear).decode()),
    )
    yield Addressed(To.REJECTED, desk.hub, identity.message_id("rejected", message_id), fact.message_id, rejected)


ROUTES: dict[type, Route] = {
    deadlines.AnswerAwaited: _awaited,
    reception.SourceGapRecorded: _source_gap,
    reception.MessageRecorded: _receipt,
    reception.MessageRepeated: _receipt,
    reception.MessageRefused: _refused,
}
