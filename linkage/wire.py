"""CloudEvents 1.0 on Kafka: we write the binary mode (value = data, attributes = `ce_*` headers) and read both modes.

Source: CloudEvents Kafka protocol binding 1.0.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

CONTENT_TYPE = "content-type"
JSON_TYPE = b"application/json"
STRUCTURED_PREFIX = b"application/cloudevents"
STRUCTURED_JSON = b"application/cloudevents+json"

Headers = tuple[tuple[str, bytes], ...]

HEADERS_KEPT_COUNT = 1_024
"""So many encoded headers are kept; the one not used for longest is made anew when it is needed again."""
_VERSION = ("ce_specversion", b"1.0")
_CONTENT = (CONTENT_TYPE, JSON_TYPE)


class NotACloudEvent(ValueError):
    """The record is no CloudEvents 1.0 event; the text says what is missing."""


class Attributes(NamedTuple):
    """The attributes of one event. `id` is the sender's message id: the same id is the same message."""

    id: str
    source: str
    type: str
    time: str | None = None
    subject: str | None = None


def headers(attributes: Attributes) -> Headers:
    """Binary mode headers, in a fixed order."""
    message_id, source, kind, time, subject = attributes
    named: Headers = (_VERSION, ("ce_id", message_id.encode()), _header("ce_source", source), _header("ce_type", kind))
    if time is not None:
        named += (_header("ce_time", time),)
    if subject is not None:
        named += (("ce_subject", subject.encode()),)
    return (*named, _CONTENT)


@lru_cache(maxsize=HEADERS_KEPT_COUNT)
def _header(name: str, text: str) -> tuple[str, bytes]:
    """Shared by every record that says the same: the facts of a step have one source, one type and one time."""
    return name, text.encode()


def read(record_headers: Sequence[tuple[str, bytes]], value: bytes | None) -> tuple[Attributes, bytes]:
    """(attributes, data as JSON bytes) of a record in either mode. Raises NotACloudEvent."""
    if value is None:
        raise NotACloudEvent("the record has no value; send the event's data as JSON")
    by_name = dict(record_headers)
    if by_name.get(CONTENT_TYPE, b"").startswith(STRUCTURED_PREFIX) or "ce_id" not in by_name:
        return _structured(value)
    return _attributes(by_name), value


def _attributes(by_name: Mapping[str, bytes]) -> Attributes:
    def text(name: str) -> str | None:
        raw = by_name.get(f"ce_{name}")
        if raw is None:
            return None
        try:
            return raw.decode()
        except UnicodeDecodeError as error:
            raise NotACloudEvent(f"header ce_{name} is not UTF-8") from error

    return _checked(text("specversion"), text("id"), text("source"), text("type"), text("time"), text("subject"))


def _structured(value: bytes) -> tuple[Attributes, bytes]:
    try:
        event: Any = json.loads(value)
    except (ValueError, RecursionError) as error:
        raise NotACloudEvent(f"neither ce_* headers nor a JSON event: {error}") from error
    if not isinstance(event, dict) or "data" not in event:
        raise NotACloudEvent("no ce_* headers, and the value is no JSON object with `data`")
    named = (event.get(name) for name in ("specversion", "id", "source", "type", "time", "subject"))
    attributes = _checked(*(item if item is None or isinstance(item, str) else str(item) for item in named))
    return attributes, json.dumps(event["data"], ensure_ascii=False, separators=(",", ":")).encode()


def _checked(
    version: str | None,
    event_id: str | None,
    source: str | None,
    kind: str | None,
    time: str | None,
    subject: str | None,
) -> Attributes:
    if version != "1.0":
        raise NotACloudEvent(f"specversion is {version!r}; this engine reads 1.0")
    if not event_id or not source or not kind:
        absent = [name for name, item in (("id", event_id), ("source", source), ("type", kind)) if not item]
        raise NotACloudEvent(f"the event lacks {', '.join(absent)}")
    if len(event_id) > 128:
        raise NotACloudEvent("the event's id is longer than 128 characters")
    return Attributes(event_id, source, kind, time, subject)


def structured(attributes: Attributes, data: bytes) -> dict[str, Any]:
    """The event as one JSON object, as JSON lines show it."""
    event: dict[str, Any] = {
        "specversion": "1.0",
        "id": attributes.id,
        "source": attributes.source,
        "type": attributes.type,
    }
    if attributes.time is not None:
        event["time"] = attributes.time
    if attributes.subject is not None:
        event["subject"] = attributes.subject
    return {**event, "datacontenttype": "application/json", "data": json.loads(data)}


def rfc3339(at: datetime) -> str:
    """An instant as every message of ours writes it."""
    return at.isoformat().replace("+00:00", "Z")
