"""A file of reports: one structured CloudEvents 1.0 JSON object on each line, as `linkage publish` reads it.

A line that can't be sent is named, with what to do about it, and the rest goes on. Nothing is held in memory but the
line at hand.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import IO, Any

from linkage import wire
from linkage.topics import MESSAGE_LIMIT_BYTES

LINE_LIMIT_BYTES = MESSAGE_LIMIT_BYTES
"""A longer line would not fit into its topic."""

DATA_TIMES = ("occurred_at", "learned_at")
"""The members of the data that `shift_to_now` moves, besides the event's `time`."""

REMEDY = "each line is one CloudEvents 1.0 object: specversion, id, source, type, time, data"


@dataclass(frozen=True, slots=True)
class ReportLine:
    """A line that can be sent. `line_no` counts from 1; `data` is the event's data as JSON."""

    line_no: int
    attributes: wire.Attributes
    data: bytes


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that can't be sent: what is wrong and what to do."""

    line_no: int
    what: str
    remedy: str

    def __str__(self) -> str:
        return f"line {self.line_no}: {self.what}. Remedy: {self.remedy}"


def read_lines(file: IO[bytes]) -> Iterator[ReportLine | BadLine]:
    """Every line of a file opened in binary, in order; blank lines are skipped, lines too long are read past."""
    line_no = 0
    while raw := file.readline(LINE_LIMIT_BYTES + 1):
        line_no += 1
        if len(raw) > LINE_LIMIT_BYTES and not raw.endswith(b"\n"):
            _read_past(file)
            what = f"longer than {LINE_LIMIT_BYTES} bytes"
            yield BadLine(line_no, what, "shorten the report; pictures and recordings go by reference")
        elif raw.strip():
            yield read_line(line_no, raw)


def read_line(line_no: int, raw: bytes) -> ReportLine | BadLine:
    """One line: its attributes and data, or what is wrong with it."""
    raw = raw.strip()
    try:
        event: Any = json.loads(raw.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        return BadLine(line_no, f"not UTF-8 at byte {error.start}", "write the file as UTF-8")
    except json.JSONDecodeError as error:
        return BadLine(line_no, f"not JSON at character {error.colno}: {error.msg}", REMEDY)
    except (RecursionError, ValueError) as error:
        return BadLine(line_no, f"not JSON that can be read: {type(error).__name__}", REMEDY)
    if not isinstance(event, dict):
        return BadLine(line_no, "no JSON object", REMEDY)
    if not isinstance(event.get("data"), dict):
        return BadLine(line_no, "the event's `data` is no object", "put the report's members into `data`")
    try:
        attributes, data = wire.read((), raw)
    except (wire.NotACloudEvent, UnicodeEncodeError) as error:
        return BadLine(line_no, str(error), REMEDY)
    return ReportLine(line_no, attributes, data)


def _read_past(file: IO[bytes]) -> None:
    while (rest := file.readline(LINE_LIMIT_BYTES)) and not rest.endswith(b"\n"):
        pass


def shift_to_now(lines: Iterable[ReportLine | BadLine], now: datetime) -> Iterator[ReportLine | BadLine]:
    """The same lines with all times moved by one constant, so that the first event's `time` becomes `now` (aware).

    The first line that has a `time` sets the constant; lines before it have none to move. Spans between events, and
    between what happened and its report, stay as they were, to the microsecond. Later events thus lie in the future
    of `now`, as they did of the first; a file sorted by time is published as a storm that begins now. A time without
    zone, or no time at all, makes its line bad: shifted by guess it would be wrong by hours.
    """
    by: timedelta | None = None
    for line in lines:
        if isinstance(line, BadLine):
            yield line
            continue
        try:
            if by is None and line.attributes.time is not None:
                by = now - _instant("time", line.attributes.time)
            yield line if by is None else _shifted(line, by)
        except _BadTime as error:
            yield BadLine(line.line_no, str(error), "write it like 2026-11-23T02:31:14+08:00")


class _BadTime(ValueError):
    """What stands there is no instant, or leaves the calendar when it is moved."""


def _instant(name: str, text: object) -> datetime:
    try:
        at = datetime.fromisoformat(str(text))
    except ValueError as error:
        raise _BadTime(f"{name} is {text!r}, no RFC 3339 time") from error
    if at.tzinfo is None:
        raise _BadTime(f"{name} is {text!r}, a time without zone")
    return at


def _moved(name: str, text: object, by: timedelta) -> str:
    at = _instant(name, text)
    zone = timezone(at.utcoffset() or timedelta(0))
    try:
        return wire.rfc3339((at + by).astimezone(zone))
    except OverflowError as error:
        raise _BadTime(f"{name} {text!r} leaves the calendar when it is moved") from error


def _shifted(line: ReportLine, by: timedelta) -> ReportLine:
    time = line.attributes.time
    data: dict[str, Any] = json.loads(line.data)
    for name in DATA_TIMES:
        if data.get(name) is not None:
            data[name] = _moved(f"data.{name}", data[name], by)
    return replace(
        line,
        attributes=line.attributes._replace(time=None if time is None else _moved("time", time, by)),
        data=json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode(),
    )
