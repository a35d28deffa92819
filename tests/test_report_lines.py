"""A file of reports, line by line: what can't be sent is named, the rest goes on, and times move by one constant."""

import io
import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from linkage.edges.report_lines import LINE_LIMIT_BYTES, BadLine, ReportLine, read_line, read_lines, shift_to_now

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


def event(number: int = 0, time: str | None = "2016-02-24T21:00:00-05:00", **data: Any) -> dict[str, Any]:
    made = {
        "specversion": "1.0",
        "id": f"r-{number}",
        "source": "grid",
        "type": "linkage.ReportIncident.v0",
        "data": {"type": "linkage.ReportIncident.v0", "kind": "nat.geo", **data},
    }
    return made if time is None else {**made, "time": time}


def lines_of(*events: dict[str, Any]) -> io.BytesIO:
    return io.BytesIO("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in events).encode())


def shifted(*events: dict[str, Any]) -> list[ReportLine | BadLine]:
    return list(shift_to_now(read_lines(lines_of(*events)), NOW))


def sent(line: ReportLine | BadLine) -> ReportLine:
    assert isinstance(line, ReportLine), line
    return line


def test_a_line_gives_attributes_and_data_as_written() -> None:
    line = sent(read_line(7, json.dumps(event(3, summary="云台村滑坡")).encode()))
    assert (line.line_no, line.attributes.id, line.attributes.source) == (7, "r-3", "grid")
    assert line.attributes.type == "linkage.ReportIncident.v0"
    assert json.loads(line.data)["summary"] == "云台村滑坡"


@pytest.mark.parametrize(
    ("raw", "what"),
    [
        (b"{", "not JSON at character 2"),
        (b"\xff\xfe{}", "not UTF-8 at byte 0"),
        (b"[]", "no JSON object"),
        (b"[" * 100_000, "not JSON"),
        (b'{"data": 1e99999, "x": ' + b"9" * 5000 + b"}", "not JSON that can be read"),
        (b'{"specversion":"1.0","id":"a","source":"s","type":"t"}', "`data` is no object"),
        (b'{"specversion":"1.0","id":"a","source":"s","type":"t","data":[]}', "`data` is no object"),
        (b'{"specversion":"0.3","id":"a","source":"s","type":"t","data":{}}', "specversion is '0.3'"),
        (b'{"specversion":"1.0","source":"s","data":{}}', "lacks id, type"),
        (b'{"specversion":"1.0","id":"a","source":"s","type":"t","data":{"k":"\\ud800"}}', "surrogates not allowed"),
    ],
)
def test_a_bad_line_is_named_with_its_number_and_a_remedy(raw: bytes, what: str) -> None:
    good = json.dumps(event()).encode()
    first, bad, last = read_lines(io.BytesIO(good + b"\n" + raw + b"\n" + good))
    assert isinstance(first, ReportLine)
    assert isinstance(last, ReportLine)
    assert last.line_no == 3
    assert isinstance(bad, BadLine)
    assert bad.line_no == 2
    assert what in bad.what
    assert "Remedy: " in str(bad)
    assert bad.remedy


def test_blank_lines_and_a_byte_order_mark_are_no_fault() -> None:
    raw = b"\xef\xbb\xbf" + json.dumps(event()).encode() + b"\r\n\n   \n" + json.dumps(event(1)).encode()
    assert [(sent(line).line_no, sent(line).attributes.id) for line in read_lines(io.BytesIO(raw))] == [
        (1, "r-0"),
        (4, "r-1"),
    ]


def test_a_line_that_no_topic_takes_is_named_and_read_past() -> None:
    """It is never held in memory as a whole, and the next line has the right number."""
    long = b"x" * (3 * LINE_LIMIT_BYTES) + b"\n"
    bad, good = read_lines(io.BytesIO(long + json.dumps(event()).encode()))
    assert isinstance(bad, BadLine)
    assert str(LINE_LIMIT_BYTES) in bad.what
    assert sent(good).line_no == 2


def test_shifting_makes_the_first_time_now_and_keeps_every_span() -> None:
    """`--shift-to-now`: one constant for time, occurred_at and learned_at; each keeps the offset it was written in."""
    lines = shifted(
        event(0, "2016-02-24T21:00:00-05:00", occurred_at="2016-02-24T20:58:30-05:00"),
        event(1, "2016-02-25T10:05:00.250000+08:00", learned_at="2016-02-25T02:03:00Z"),
    )
    first, second = map(sent, lines)
    assert first.attributes.time is not None
    assert second.attributes.time is not None
    assert datetime.fromisoformat(first.attributes.time) == NOW
    assert datetime.fromisoformat(json.loads(first.data)["occurred_at"]) == NOW - timedelta(seconds=90)
    at = datetime.fromisoformat(second.attributes.time)
    assert at == NOW + timedelta(minutes=5, milliseconds=250)
    assert at.tzinfo == timezone(timedelta(hours=8))
    assert json.loads(second.data)["learned_at"] == "2026-11-23T02:03:00Z"


def test_shifting_leaves_everything_else_as_it_was() -> None:
    before = event(0, summary="2016-02-24T21:00:00-05:00", kind="nat.geo")
    line = sent(shifted(before)[0])
    assert json.loads(line.data) == before["data"]
    assert (line.attributes.id, line.line_no) == ("r-0", 1)


def test_a_clock_change_between_two_events_keeps_their_span() -> None:
    first, second = map(sent, shifted(event(0, "2016-03-13T01:59:00-05:00"), event(1, "2016-03-13T03:01:00-04:00")))
    assert first.attributes.time is not None
    assert second.attributes.time is not None
    span = datetime.fromisoformat(second.attributes.time) - datetime.fromisoformat(first.attributes.time)
    assert span == timedelta(minutes=2)


@pytest.mark.parametrize("time", ["2016-02-24T21:00:00", "yesterday", "9999-12-31T23:59:59Z"])
def test_a_time_that_can_not_be_moved_makes_its_line_bad_and_no_other(time: str) -> None:
    first, bad, last = shifted(event(0), event(1, time), event(2))
    assert isinstance(bad, BadLine)
    assert bad.line_no == 2
    assert time in bad.what
    assert sent(first).attributes.time == sent(last).attributes.time


def test_lines_without_time_wait_for_the_first_that_has_one() -> None:
    """A line before it keeps what it says; the constant comes from the first `time` that can be read."""
    lines = shifted(event(0, None), event(1, "soon"), event(2), event(3, None, occurred_at="2016-02-24T21:01:00-05:00"))
    assert sent(lines[0]).attributes.time is None
    assert isinstance(lines[1], BadLine)
    assert datetime.fromisoformat(sent(lines[2]).attributes.time or "") == NOW
    assert datetime.fromisoformat(json.loads(sent(lines[3]).data)["occurred_at"]) == NOW + timedelta(minutes=1)


def test_reading_and_shifting_take_one_line_at_a_time() -> None:
    """`linkage publish -` sends a line before the next one has come."""

    class Dripping(io.BytesIO):
        taken = 0

        def readline(self, size: int | None = -1, /) -> bytes:
            self.taken += 1
            return super().readline(size)

    source = Dripping(lines_of(*(event(number) for number in range(100))).getvalue())
    moving = shift_to_now(read_lines(source), NOW)
    next(moving)
    assert source.taken == 1
