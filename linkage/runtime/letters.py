"""Reading inbox records; what is none is refused like any other bad record, and blocks nobody."""

from base64 import b64encode
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from linkage import identity
from linkage.errors import ForeignLog
from linkage.events.base import filled
from linkage.events.envelope import InboxKind, InboxRecord, Origin
from linkage.events.reception import UnreadableRecord
from linkage.runtime.ports import Record

UNREADABLE_LIMIT_BYTES = 1_000_000
"""What is kept of bytes nobody could read; the rest is dropped, and how much is said."""
NO_HUB = "000000"
"""Where junk is refused that names no hub."""


def letter_of(
    log_id: str,
    hub: str,
    kind: InboxKind,
    sender: str,
    message_id: str,
    digest: str,
    sent_at: datetime | None,
    origin: Origin | None,
    data: Any,
) -> InboxRecord:
    """An inbox record of parts that were checked before."""
    return filled(
        InboxRecord,
        type="linkage.InboxRecord.v0",
        log_id=log_id,
        hub=hub,
        kind=kind,
        sender=sender,
        message_id=message_id,
        digest=digest,
        sent_at=sent_at,
        origin=origin,
        data=data,
    )


def read_letter(record: Record, log_id: str) -> tuple[InboxRecord, bytes]:
    """An inbox record and its bytes. Raises ForeignLog when it belongs to another log."""
    raw = record.value or b""
    try:
        letter = InboxRecord.model_validate_json(raw)
    except ValidationError as error:
        letter = _junk(record, log_id, error)
        return letter, letter.model_dump_json().encode()
    if letter.log_id != log_id:
        raise ForeignLog(
            f"inbox record {record.partition}/{record.offset} belongs to log {letter.log_id}, "
            f"this journal is {log_id}: inbox or journal was made anew"
        )
    return letter, raw


def _junk(record: Record, log_id: str, error: ValidationError) -> InboxRecord:
    """Bytes in an inbox that are no inbox record: refused in the hub that the key names."""
    key = (record.key or b"").decode(errors="replace")
    raw = record.value or b""
    return InboxRecord(
        log_id=log_id,
        hub=key if key.isascii() and key.isdigit() and len(key) in (6, 9) else NO_HUB,
        kind="ingress",
        sender="ingress",
        message_id=f"{record.topic}/{record.partition}/{record.offset}",
        digest=identity.digest(b"", raw),
        data=unreadable("unreadable", f"not an inbox record: {error.errors()[0]['msg']}", raw, "engine"),
    )


def unreadable(code: str, reason: str, raw: bytes, fault: str = "sender") -> UnreadableRecord:
    """Bytes nobody could read, kept as they are up to the limit."""
    kept = raw[:UNREADABLE_LIMIT_BYTES]
    return UnreadableRecord(
        code=code,
        reason=reason[:2000],
        fault="sender" if fault == "sender" else "engine",
        bytes_base64=b64encode(kept).decode(),
        bytes_dropped=len(raw) - len(kept),
    )
