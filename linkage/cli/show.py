"""How messages look in a terminal: one line each, in Chinese and English, and as JSON for machines."""

import json
import sys
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from linkage.client import Delivery, EngineAnswer
    from linkage.client.deliveries import Message


def print_json(entry: dict[str, Any]) -> None:
    """One JSON line on stdout, at once: a reader may be waiting for it."""
    print(json.dumps(entry, ensure_ascii=False, separators=(",", ":")), flush=True)


def print_line(text: str) -> None:
    print(text, flush=True)


def print_problem(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def delivery_entry(delivery: "Delivery") -> dict[str, Any]:
    """A delivery for machines: `message` is the data as it stands in the topic."""
    from linkage.client import UnknownMessage
    from linkage.events.base import instant
    from linkage.wire import rfc3339

    message = delivery.message
    unknown = isinstance(message, UnknownMessage)
    entry: dict[str, Any] = {
        "offset": delivery.offset,
        "at": rfc3339(instant(delivery.timestamp_ms)),
        "id": delivery.attributes.id,
        "type": delivery.attributes.type,
        "known": not unknown,
        "message": message.data if isinstance(message, UnknownMessage) else message.model_dump(mode="json"),
    }
    if isinstance(message, UnknownMessage):
        entry["problem"] = message.problem
    return entry


def delivery_line(delivery: "Delivery", zone: ZoneInfo) -> str:
    """A delivery for people, in one line."""
    from linkage.events.base import instant

    at = instant(delivery.timestamp_ms).astimezone(zone)
    what, subject = _what(delivery.message)
    text = _both(delivery.message)
    return f"{at:%m-%d %H:%M:%S}  {what}  {subject}  {text}"


def answer_line(answer: "EngineAnswer") -> str:
    """A receipt or a refusal, in one line, with whose fault a refusal is and whether to send it again."""
    from linkage.events.outbound import IssueReceipt

    text = _both(answer)
    if isinstance(answer, IssueReceipt):
        incident = f" {answer.incident_id}" if answer.incident_id else ""
        return f"receipt 回执  {answer.message_id}: {answer.outcome}{incident}  {text}"
    whose = "the sender's" if answer.fault == "sender" else "the engine's"
    again = "may be sent again" if answer.may_be_sent_again else "the same again gets the same refusal"
    return f"refused 拒收  {answer.message_id}: {answer.code}  {text} (fault: {whose}; {again})"


def _both(message: "Message") -> str:
    texts = [" ".join(part.split()) for part in (message.text_zh, message.text_en) if part]
    return " | ".join(texts)


def _what(message: "Message") -> tuple[str, str]:
    from linkage.client import UnknownMessage
    from linkage.events import outbound

    match message:
        case outbound.WhistleDepartment():
            return "whistle 吹哨", f"{message.order_id} r{message.revision} ({message.role})"
        case outbound.DispatchTeam():
            return "dispatch 调动", f"{message.order_id} r{message.revision} {message.team_zh or message.team}"
        case outbound.StandDown():
            return "stand down 撤回", f"{message.order_id} r{message.revision}"
        case outbound.GiveNotice():
            return "notice 通知", f"{message.code} {message.subject}"
        case outbound.IssueReceipt():
            return "receipt 回执", f"{message.message_id} {message.outcome}"
        case outbound.IssueRefusal():
            return "refused 拒收", f"{message.message_id} {message.code}"
        case UnknownMessage():
            return "unknown 未知", f"{message.type or 'no event'} ({message.problem})"
