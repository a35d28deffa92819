"""`linkage publish` on a real Kafka; the engine's answers are played by the test."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from linkage import wire
from linkage.events.base import Place
from linkage.events.inbound import ReportIncident
from linkage.settings import KafkaSettings
from tests.command_line import LIMIT_S, run, started
from tests.played_engine import (
    AT,
    HUB,
    create_topics,
    playing_engine,
    receipt_for,
    records_of,
    refusal_for,
)

pytestmark = pytest.mark.kafka
SOURCES = ("hotline", "gauge")
FIRE = ReportIncident(kind="acc.fire", place=Place(township=HUB), occurred_at=AT)


@pytest.fixture
async def settings(kafka_settings: KafkaSettings) -> KafkaSettings:
    topics = kafka_settings.topics
    names = [name for source in SOURCES for name in (topics.report(source), topics.dispatch(source))]
    await create_topics(kafka_settings, *names)
    return kafka_settings


def line(message_id: str, source: str = "hotline", at: datetime = AT) -> str:
    attributes = wire.Attributes(message_id, source, FIRE.type, wire.rfc3339(at))
    return json.dumps(wire.structured(attributes, FIRE.model_dump_json().encode()), ensure_ascii=False)


def file_of(folder: Path, *lines: str) -> str:
    file = folder / "reports.jsonl"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(file)


def ids(records: list[tuple[wire.Attributes, bytes]]) -> list[str]:
    return [attributes.id for attributes, _ in records]


async def records_when(settings: KafkaSettings, topic: str, count: int) -> list[tuple[wire.Attributes, bytes]]:
    """What a topic holds, as soon as it is at least so many."""
    async with asyncio.timeout(LIMIT_S):
        while True:
            records = await records_of(settings, topic)
            if len(records) >= count:
                return records
            await asyncio.sleep(0.05)


async def test_every_line_is_accounted_for(settings: KafkaSettings, tmp_path: Path) -> None:
    """Of two sources: a receipt, a refusal, two bad lines named by number, one line of a source without topics."""
    file = file_of(tmp_path, line("h-1"), "{not json", line("g-1", "gauge"), '["no object"]', line("x-1", "nobody"))
    async with playing_engine(settings) as engine:
        answering = [
            asyncio.create_task(engine.answer(settings.topics.report("hotline"), "hotline", receipt_for, 1)),
        ]
        async with playing_engine(settings) as other:
            answering.append(
                asyncio.create_task(other.answer(settings.topics.report("gauge"), "gauge", refusal_for, 1))
            )
            done = await run(settings, "publish", file, "--json")
            await asyncio.gather(*answering)
    assert done.code == 1
    by_event: dict[str, list[dict[str, Any]]] = {}
    for entry in done.entries:
        by_event.setdefault(entry["event"], []).append(entry)
    assert [entry["line"] for entry in by_event["bad_line"]] == [2, 4, 5]
    assert "linkage topics apply" in by_event["bad_line"][2]["what"]
    assert [(entry["source"], entry["message_id"]) for entry in by_event["receipt"]] == [("hotline", "h-1")]
    assert [(entry["source"], entry["message_id"]) for entry in by_event["refusal"]] == [("gauge", "g-1")]
    (summary,) = by_event["summary"]
    assert summary == {
        "event": "summary",
        "published": 2,
        "bad_lines": 3,
        "receipts": {"opened": 1},
        "refusals": {"unknown_order": 1},
        "unanswered": [],
        "waited": True,
    }


async def test_a_clean_run_exits_0_and_says_so(settings: KafkaSettings, tmp_path: Path) -> None:
    """The same id twice is answered twice; the records are those of the file, in its order."""
    file = file_of(tmp_path, line("h-1"), line("h-2"), line("h-1"))
    async with playing_engine(settings) as engine:
        answering = asyncio.create_task(engine.answer(settings.topics.report("hotline"), "hotline", receipt_for, 3))
        done = await run(settings, "publish", file)
        await answering
    assert done.code == 0, done.out + done.err
    assert done.out.count("receipt 回执") == 3
    assert "published 3" in done.out
    records = await records_of(settings, settings.topics.report("hotline"))
    assert ids(records) == ["h-1", "h-2", "h-1"]
    assert {attributes.time for attributes, _ in records} == {wire.rfc3339(AT)}
    assert all(ReportIncident.model_validate_json(data) == FIRE for _, data in records)


async def test_what_nobody_answers_is_named(settings: KafkaSettings, tmp_path: Path) -> None:
    """Exit 1 after the time given; an answer of an earlier run does not count as one of this run."""
    async with playing_engine(settings) as engine:
        await engine.tell("hotline", receipt_for("hotline", "h-1"))
    done = await run(settings, "publish", file_of(tmp_path, line("h-1")), "--wait-limit-s", "0.5")
    assert done.code == 1
    assert "unanswered 1" in done.out
    assert "h-1" in done.out
    assert "is a worker running?" in done.out
    not_waited = await run(settings, "publish", file_of(tmp_path, line("h-1")), "--no-wait")
    assert (not_waited.code, "published 1" in not_waited.out) == (0, True)


async def test_standard_input_is_published_while_it_is_still_open(settings: KafkaSettings) -> None:
    """A line that comes down a pipe is sent at once, and the end of the pipe is the end."""
    topic = settings.topics.report("gauge")
    async with started(settings, "publish", "-", "--source", "gauge", "--no-wait") as process:
        assert process.stdin is not None
        process.stdin.write(f"{line('h-1')}\n".encode())
        await process.stdin.drain()
        records = await records_when(settings, topic, 1)
        assert [(attributes.id, attributes.source) for attributes, _ in records] == [("h-1", "gauge")]
        process.stdin.write(line("h-2").encode())
        process.stdin.close()
        assert await asyncio.wait_for(process.wait(), LIMIT_S) == 0
    assert ids(await records_of(settings, topic)) == ["h-1", "h-2"]


async def test_shift_to_now_moves_all_times_by_one_constant(settings: KafkaSettings, tmp_path: Path) -> None:
    """The first line's time is the moment of publishing, and the others keep their distance to it."""
    file = file_of(tmp_path, line("h-1"), line("h-2", at=AT + timedelta(minutes=7)))
    began = datetime.now(UTC)
    done = await run(settings, "publish", file, "--no-wait", "--shift-to-now")
    assert done.code == 0, done.err
    first, second = (
        datetime.fromisoformat(attributes.time or "")
        for attributes, _ in await records_of(settings, settings.topics.report("hotline"))
    )
    assert began <= first <= datetime.now(UTC)
    assert second - first == timedelta(minutes=7)


async def test_a_file_that_cannot_be_read_is_wrong_usage(settings: KafkaSettings) -> None:
    """Exit 2; the file is named."""
    done = await run(settings, "publish", "no-such-file.jsonl")
    assert (done.code, "no-such-file.jsonl" in done.err) == (2, True)


async def test_many_lines_are_all_answered(settings: KafkaSettings, tmp_path: Path) -> None:
    """1,500 lines, more than may be under way at once: each has its receipt, none is asked for twice."""
    file = file_of(tmp_path, *(line(f"h-{number}") for number in range(1_500)))
    done = await run(settings, "publish", file, "--no-wait", "--json")
    assert done.entries[-1]["published"] == 1_500
    async with playing_engine(settings) as engine:
        running = asyncio.create_task(run(settings, "publish", file, "--quiet"))
        await records_when(settings, settings.topics.report("hotline"), 3_000)
        await engine.tell("hotline", *(receipt_for("hotline", f"h-{number}") for number in range(1_500)))
        done = await running
    assert done.code == 0, done.out + done.err
    assert done.out.splitlines() == ["published 1500 已上报 · opened 1500"]
