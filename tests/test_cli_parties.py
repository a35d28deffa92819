"""The command line as users run it: a process of its own, a real Kafka, the engine played by the test."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import typer

from linkage.cli.options import instant_typed
from linkage.events.base import Attested, Channel
from linkage.events.envelope import PARTY_MESSAGE
from linkage.events.inbound import Answer, AnswerOrder, CloseIncident, PlaceReport, RecordAnswer, WithdrawTeam
from linkage.events.outbound import GiveNotice
from linkage.settings import KafkaSettings
from tests.command_line import LIMIT_S, run, started
from tests.played_engine import (
    HUB,
    PlayedEngine,
    create_topics,
    order_to,
    playing_engine,
    receipt_for,
    records_of,
    refusal_for,
)

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOTICE = GiveNotice(code="overdue", hub=HUB, party="water", subject="O-91d0aa", text_en="late", text_zh="超时")


@pytest.fixture
async def settings(kafka_settings: KafkaSettings) -> KafkaSettings:
    topics = kafka_settings.topics
    names = [topics.report("hotline"), topics.reply("water"), topics.command(HUB)]
    await create_topics(kafka_settings, *names, *(topics.dispatch(party) for party in ("hotline", "water", HUB)))
    return kafka_settings


@pytest.fixture
async def engine(settings: KafkaSettings) -> AsyncIterator[PlayedEngine]:
    async with playing_engine(settings) as played:
        yield played


async def only_message(settings: KafkaSettings, topic: str) -> Any:
    ((_attributes, data),) = await records_of(settings, topic)
    return PARTY_MESSAGE.validate_json(data)


async def test_help_names_every_command() -> None:
    """What a user can type stands on the first page."""
    done = await run(None, "--help")
    assert done.code == 0
    for command in ("publish", "subscribe", "reply", "command", "kafka", "topics", "county", "import"):
        assert command in done.out


async def test_help_loads_no_commands_machinery() -> None:
    """What takes time to import is imported by the command that needs it (a clock would measure the machine)."""
    script = (
        "import sys; from linkage.cli import app\n"
        "heavy = {'aiokafka', 'pydantic', 'faust', 'yaml', 'structlog', 'rich.progress'} & set(sys.modules)\n"
        "sys.exit(f'loaded: {heavy}' if heavy else 0)\n"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", script, stderr=asyncio.subprocess.PIPE)
    _, err = await process.communicate()
    assert process.returncode == 0, err.decode()


async def test_wrong_usage_exits_2_and_says_what_is_wrong() -> None:
    """A missing argument, an unknown protocol, an unknown time zone."""
    assert (await run(None, "subscribe")).code == 2
    wrong = await run(None, "subscribe", "water", "--security-protocol", "TELNET")
    assert (wrong.code, "--security-protocol" in wrong.err) == (2, True)
    nowhere = await run(None, "subscribe", "water", "--time-zone", "Moon/Base")
    assert (nowhere.code, "no time zone" in nowhere.err) == (2, True)


async def test_an_unreachable_kafka_exits_3_and_says_what_to_check() -> None:
    """One message, no traceback, nothing on standard output."""
    done = await run(None, "subscribe", "water", "--bootstrap-servers", "127.0.0.1:1")
    assert (done.code, done.out) == (3, "")
    assert "cannot reach Kafka at 127.0.0.1:1" in done.err
    assert "linkage kafka status" in done.err


@pytest.mark.kafka
async def test_subscribe_prints_one_line_a_message_in_both_languages(
    settings: KafkaSettings, engine: PlayedEngine
) -> None:
    """Committed messages only, in order; --json gives the same as JSON lines."""
    await engine.tell("water", order_to("water"), NOTICE)
    await engine.almost_tell("water", order_to("water", "O-never"))
    plain = await run(settings, "subscribe", "water")
    first, second = plain.out.splitlines()
    assert all(part in first for part in ("whistle 吹哨", "O-91d0aa r1", "云台村滑坡险情", "landslide near Yuntai"))
    assert all(part in second for part in ("notice 通知", "overdue", "超时", "late"))
    entries = (await run(settings, "subscribe", "water", "--json")).entries
    assert [entry["message"] for entry in entries] == [
        order_to("water").model_dump(mode="json"),
        NOTICE.model_dump(mode="json"),
    ]


@pytest.mark.kafka
async def test_subscribe_follows_until_it_is_interrupted(settings: KafkaSettings, engine: PlayedEngine) -> None:
    """Each message is printed when it is committed, not when a buffer is full; Ctrl-C ends it with 130, silently."""
    await engine.tell("water", order_to("water"))
    async with started(settings, "subscribe", "water", "--follow", "--json") as process:
        assert process.stdout is not None
        first = json.loads(await asyncio.wait_for(process.stdout.readline(), LIMIT_S))
        await engine.tell("water", NOTICE)
        second = json.loads(await asyncio.wait_for(process.stdout.readline(), LIMIT_S))
        assert [first["type"], second["type"]] == [order_to("water").type, NOTICE.type]
        process.send_signal(signal.SIGINT)
        _out, err = await asyncio.wait_for(process.communicate(), LIMIT_S)
        assert (process.returncode, err.decode()) == (130, "")


@pytest.mark.kafka
async def test_a_reader_that_goes_away_is_no_failure_of_ours(settings: KafkaSettings, engine: PlayedEngine) -> None:
    """`linkage subscribe ... | head -1` leaves no traceback."""
    await engine.tell("water", *(order_to("water", f"O-{number}") for number in range(50)))
    async with started(settings, "subscribe", "water", "--follow") as process:
        assert process.stdout is not None
        await asyncio.wait_for(process.stdout.readline(), LIMIT_S)
        process.stdout._transport.close()  # type: ignore[attr-defined]
        await engine.tell("water", NOTICE)
        assert process.stderr is not None
        err = await asyncio.wait_for(process.stderr.read(), LIMIT_S)
        assert b"Traceback" not in err, err.decode()


@pytest.mark.kafka
async def test_subscribe_of_an_unregistered_party_says_whom_to_ask(settings: KafkaSettings) -> None:
    """Exit 1: the topic is named, and what makes it."""
    done = await run(settings, "subscribe", "nobody")
    assert done.code == 1
    assert f"{settings.namespace}.dispatch.nobody" in done.err
    assert "linkage topics apply" in done.err


@pytest.mark.kafka
async def test_reply_finds_the_order_by_the_beginning_of_its_id(settings: KafkaSettings, engine: PlayedEngine) -> None:
    """The newest revision is answered, with its hub; the O- may be left out."""
    await engine.tell("water", order_to("water"), order_to("water", revision=2), order_to("water", "O-77"))
    said = ("en_route", "--reason", "two cars", "--eta", "+25m", "--refusal-wait-s", "0")
    done = await run(settings, "reply", "water", "91d", *said)
    assert done.code == 0, done.err
    assert "O-91d0aa r2: en_route" in done.out
    message = await only_message(settings, settings.topics.reply("water"))
    assert isinstance(message, AnswerOrder)
    assert (message.order_id, message.hub, message.answer, message.reason) == (
        "O-91d0aa",
        HUB,
        Answer.EN_ROUTE,
        "two cars",
    )
    assert message.eta_at is not None
    assert timedelta(minutes=23) < message.eta_at - datetime.now(UTC) <= timedelta(minutes=25)


@pytest.mark.kafka
async def test_reply_refuses_to_guess(settings: KafkaSettings, engine: PlayedEngine) -> None:
    """No such order, several of them, or a word that is no answer: nothing is sent, and each says what to type."""
    await engine.tell("water", order_to("water", "O-7a"), order_to("water", "O-7b"))
    several = await run(settings, "reply", "water", "O-7", "received")
    none = await run(settings, "reply", "water", "O-8", "received")
    no_answer = await run(settings, "reply", "water", "O-7a", "maybe")
    assert [done.code for done in (several, none, no_answer)] == [1, 1, 1]
    assert "O-7a, O-7b" in several.err
    assert "linkage subscribe water" in none.err
    assert "received, accepted, declined" in no_answer.err
    assert await records_of(settings, settings.topics.reply("water")) == []


@pytest.mark.kafka
async def test_a_refused_reply_exits_1_with_the_reason(settings: KafkaSettings, engine: PlayedEngine) -> None:
    """One that is not refused in the time given is sent: replies get no receipt."""
    await engine.tell("water", order_to("water"))
    answering = asyncio.create_task(engine.answer(settings.topics.reply("water"), "water", refusal_for, 1))
    refused = await run(settings, "reply", "water", "O-91", "done", "--json")
    await answering
    assert refused.code == 1
    assert refused.entries[0]["code"] == "unknown_order"
    accepted = await run(settings, "reply", "water", "O-91", "received", "--refusal-wait-s", "0.3")
    assert (accepted.code, "sent 已回复" in accepted.out) == (0, True)


COMMANDS: list[tuple[list[str], Any]] = [
    (
        ["withdraw-team", "O-1", "--reason", "needed at home", "--actor", "李"],
        WithdrawTeam(order_id="O-1", reason="needed at home", actor="李"),
    ),
    (
        ["close", "I-4e21", "--reason", "over", "--signed-by", "李"],
        CloseIncident(incident_id="I-4e21", reason="over", signed_by="李"),
    ),
    (
        ["place", "hotline", "h-1", "990101009", "--reason", "caller rang back"],
        PlaceReport(report_sender="hotline", report_id="h-1", township="990101009", reason="caller rang back"),
    ),
    (
        [
            *("record-answer", "O-1", "declined", "--on-behalf-of", "health", "--channel", "phone"),
            *("--heard-at", "2026-11-23T02:31:00+08:00", "--recorded-by", "王", "--reason", "no car"),
        ],
        RecordAnswer(
            order_id="O-1",
            answer=Answer.DECLINED,
            reason="no car",
            attested=Attested(
                on_behalf_of="health",
                channel=Channel.PHONE,
                heard_at=datetime.fromisoformat("2026-11-23T02:31:00+08:00"),
                recorded_by="王",
            ),
        ),
    ),
]


@pytest.mark.kafka
@pytest.mark.parametrize(("typed", "message"), COMMANDS, ids=[typed[0] for typed, _ in COMMANDS])
async def test_a_command_is_sent_for_its_post_and_its_receipt_shown(
    settings: KafkaSettings, engine: PlayedEngine, typed: list[str], message: Any
) -> None:
    """The message on the post's own topic is what was typed."""
    answering = asyncio.create_task(engine.answer(settings.topics.command(HUB), HUB, receipt_for, 1))
    done = await run(settings, "command", HUB, *typed)
    await answering
    assert done.code == 0, done.err
    assert "receipt 回执" in done.out
    assert await only_message(settings, settings.topics.command(HUB)) == message


@pytest.mark.kafka
async def test_a_command_that_nobody_answers_exits_1_after_the_time_given(settings: KafkaSettings) -> None:
    """It says that Kafka has the message, and what to look at."""
    done = await run(settings, "command", HUB, *COMMANDS[1][0], "--wait-limit-s", "0.3")
    assert done.code == 1
    assert "Is a worker running" in done.err
    assert await only_message(settings, settings.topics.command(HUB)) == COMMANDS[1][1]


@pytest.mark.kafka
async def test_a_refused_command_exits_1_and_typing_it_again_is_a_new_message(
    settings: KafkaSettings, engine: PlayedEngine
) -> None:
    """A refusal of an earlier typing never answers a later one; --message-id sends the very same again."""
    typed = ("command", HUB, "close", "I-1", "--reason", "over", "--signed-by", "李")
    answering = asyncio.create_task(engine.answer(settings.topics.command(HUB), HUB, refusal_for, 1))
    refused = await run(settings, *typed)
    await answering
    assert refused.code == 1
    assert "refused 拒收" in refused.out
    assert "unknown_order" in refused.out
    again = (await run(settings, *typed, "--no-wait", "--json")).entries[0]["message_id"]
    await run(settings, *typed, "--no-wait", "--message-id", again)
    ids = [attributes.id for attributes, _ in await records_of(settings, settings.topics.command(HUB))]
    assert len(set(ids[:2])) == 2
    assert ids[1:] == [again, again]


@pytest.mark.kafka
async def test_a_command_with_a_malformed_township_is_wrong_usage(settings: KafkaSettings) -> None:
    """Nothing is sent; the field is named."""
    done = await run(settings, "command", HUB, "place", "hotline", "h-1", "9901")
    assert (done.code, "township" in done.err) == (2, True)
    assert await records_of(settings, settings.topics.command(HUB)) == []


@pytest.mark.parametrize(
    ("typed", "instant"),
    [
        ("now", "2026-11-23T00:10:30+08:00"),
        ("00:05", "2026-11-23T00:05:00+08:00"),
        ("23:58", "2026-11-22T23:58:00+08:00"),
        ("+25m", "2026-11-23T00:35:00+08:00"),
        ("2026-11-23T02:31:00Z", "2026-11-23T02:31:00+00:00"),
    ],
)
def test_an_instant_is_what_a_person_at_night_means(typed: str, instant: str) -> None:
    """A time of day is the last one past, also across midnight."""
    now = datetime.fromisoformat("2026-11-22T16:10:30+00:00")
    assert instant_typed(typed, "--heard-at", SHANGHAI, now) == datetime.fromisoformat(instant)


@pytest.mark.parametrize("typed", ["soon", "25:00", "+m", "2026-11-23T02:31:00"])
def test_a_time_that_can_be_misread_is_wrong_usage(typed: str) -> None:
    """Also an instant without its offset from UTC."""
    with pytest.raises(typer.BadParameter, match="write 02:31"):
        instant_typed(typed, "--heard-at", SHANGHAI, datetime(2026, 11, 23, tzinfo=UTC))
