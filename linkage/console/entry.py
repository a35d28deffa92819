"""The board for machines: plain JSON values, instants in RFC 3339, names with code, English and Chinese."""

from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from linkage.console.board import Board
from linkage.wire import rfc3339

CLOCKED = ("at", "inbox", "ingress", "position")
"""What of the header moves without anything having happened that a person must know."""


def entry(board: Board) -> dict[str, Any]:
    """Keys are the fields of Board and its rows."""
    made: dict[str, Any] = _plain(board)
    return made


def is_change(before: dict[str, Any] | None, after: dict[str, Any]) -> bool:
    """Whether two entries differ in more than in time and gauges."""
    return before is None or _told(before) != _told(after)


def _told(made: dict[str, Any]) -> dict[str, Any]:
    header = {name: item for name, item in made["header"].items() if name not in CLOCKED}
    return {**made, "header": header}


def _plain(item: Any) -> Any:
    if is_dataclass(item):
        return {field.name: _plain(getattr(item, field.name)) for field in fields(item)}
    if isinstance(item, datetime):
        return rfc3339(item)
    if isinstance(item, Enum):
        return item.value
    if isinstance(item, tuple):
        return [_plain(one) for one in item]
    return item
