"""Reading a dispatch topic on a real Kafka, alone and in a group; the engine is played by the test."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiokafka.admin import AIOKafkaAdminClient

import linkage
from linkage.client import UnknownMessage, subscribe
from linkage.client.outlet import encoded
from linkage.events.outbound import GiveNotice, StandDown
from linkage.settings import KafkaSettings
from tests.played_engine import (
    HUB,
    PlayedEngine,
    all_now,
    create_topics,
    order_to,
    playing_engine,
)

LIMIT_S = 20.0
pytestmark = pytest.mark.kafka
NOTICE = GiveNotice(code="overdue", hub=HUB, party="water", subject="O-91d0aa", text_en="late", text_zh="超时")


@pytest.fixture
async def settings(kafka_settings: KafkaSettings) -> KafkaSettings:
    await create_topics(kafka_settings, kafka_settings.topics.dispatch("water"))
    return kafka_settings


@pytest.fixture
async def engine(settings: KafkaSettings) -> AsyncIterator[PlayedEngine]:
    async with playing_engine(settings) as played:
        yield played


async def test_subscribe_shows_committed_messages_in_order_and_no_aborted_one(
    settings: KafkaSettings, engine: PlayedEngine
) -> None:
    """Also when the topic ends in an aborted transaction: the reader neither shows it nor waits for it."""
    stood_down = StandDown(
        **order_to("water", revision=2).model_dump(include={"order_id", "revision", "hub", "relation", "ordered_at"}),
        text_en="over",
        text_zh="结束",
        party="water",
        incident_id="I-4e21",
        reason="closed",
    )
    await engine.tell("water", order_to("water"))
    await engine.almost_tell("water", order_to("water", "O-never"))
    await engine.tell("water", stood_down, NOTICE)
    await engine.almost_tell("water", order_to("water", "O-never-2"))
    deliveries = await all_now("water", settings)
    assert [delivery.message for delivery in deliveries] == [order_to("water"), stood_down, NOTICE]
    assert [delivery.offset for delivery in deliveries] == sorted({delivery.offset for delivery in deliveries})
    assert all(delivery.timestamp_ms > 0 and delivery.attributes.source == HUB for delivery in deliveries)


async def test_an_open_transaction_is_not_shown_before_it_is_committed(
    settings: KafkaSettings, engine: PlayedEngine
) -> None:
    """A reader that does not follow ends before it."""
    await engine.tell("water", order_to("water"))
    async with playing_engine(settings) as other:
        await other._producer.begin_transaction()
        await other._write("water", (order_to("water", "O-open"),))
        assert [delivery.message for delivery in await all_now("water", settings)] == [order_to("water")]
        await other._producer.commit_transaction()
    assert len(await all_now("water", settings)) == 2


async def test_following_goes_on_with_what_comes(settings: KafkaSettings, engine: PlayedEngine) -> None:
    """From the beginning, or only from now on."""
    await engine.tell("water", order_to("water"))
    async with (
        asyncio.timeout(LIMIT_S),
        subscribe("water", settings) as everything,
        subscribe("water", settings, from_beginning=False) as from_now,
    ):
        assert (await anext(everything)).message == order_to("water")
        await engine.tell("water", NOTICE)
        assert (await anext(everything)).message == NOTICE
        assert (await anext(from_now)).message == NOTICE


async def test_what_a_newer_engine_says_is_delivered_as_unknown(settings: KafkaSettings, engine: PlayedEngine) -> None:
    """An unknown type, an unknown field and bytes that are no event: each is delivered, and the reader goes on."""
    newer = b'{"type":"linkage.AskFavour.v1","text_en":"please","text_zh":"\xe8\xaf\xb7"}'
    headers = linkage.wire.headers(linkage.wire.Attributes("n-1", HUB, "linkage.AskFavour.v1"))
    await engine.tell_raw("water", newer, headers)
    await engine.tell_raw("water", encoded(NOTICE)[:-1] + b',"colour":"red"}', headers)
    await engine.tell_raw("water", b"\xff\x00 no event")
    await engine.tell("water", NOTICE)
    messages = [delivery.message for delivery in await all_now("water", settings)]
    unknown = [message for message in messages[:3] if isinstance(message, UnknownMessage)]
    assert len(unknown) == 3
    assert (unknown[0].type, unknown[0].text_en, unknown[0].text_zh) == ("linkage.AskFavour.v1", "please", "请")
    assert "colour" in unknown[1].problem
    assert (unknown[2].type, unknown[2].data, unknown[2].raw) == ("", None, b"\xff\x00 no event")
    assert messages[3] == NOTICE


async def test_a_group_gets_again_what_it_had_not_handled(settings: KafkaSettings, engine: PlayedEngine) -> None:
    """A delivery is committed when the next one is asked for; breaking off in the middle of one brings it again."""
    orders = [order_to("water", f"O-{number}") for number in range(3)]
    await engine.tell("water", *orders)
    async with asyncio.timeout(LIMIT_S), subscribe("water", settings, follow=False, group="w") as first:
        handled = [(await anext(first)).message for _ in range(2)]
    again = await all_now("water", settings, group="w")
    assert handled == orders[:2]
    assert [delivery.message for delivery in again] == orders[1:]
    assert await all_now("water", settings, group="w") == []
    await engine.tell("water", NOTICE)
    assert [delivery.message for delivery in await all_now("water", settings, group="w")] == [NOTICE]


async def test_a_new_group_may_begin_at_the_end(settings: KafkaSettings, engine: PlayedEngine) -> None:
    """And what came after it first looked is not missed, even if it was not reading then."""
    await engine.tell("water", order_to("water"))
    async with asyncio.timeout(LIMIT_S):
        async with subscribe("water", settings, follow=False, from_beginning=False, group="w") as looking:
            assert [delivery async for delivery in looking] == []
        await engine.tell("water", NOTICE)
        assert [delivery.message for delivery in await all_now("water", settings, group="w")] == [NOTICE]


async def until_members(settings: KafkaSettings, group: str, count: int) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.bootstrap_servers)
    await admin.start()
    try:
        async with asyncio.timeout(LIMIT_S):
            while True:
                (response,) = await admin.describe_consumer_groups([group])
                ((_error, _id, state, _type, _protocol, members, *_),) = response.groups
                if state == "Stable" and len(members) == count:
                    return
                await asyncio.sleep(0.05)
    finally:
        await admin.close()


async def test_what_a_member_had_in_hand_when_it_ended_comes_to_the_next(
    settings: KafkaSettings, engine: PlayedEngine
) -> None:
    """Two processes of one department share a group; the one that is left goes on where the other had handled it."""
    orders = [order_to("water", f"O-{number}") for number in range(3)]
    await engine.tell("water", *orders)
    second = subscribe("water", settings, group="w")  # joins when it is asked first: who has the partition is chance
    try:
        async with asyncio.timeout(LIMIT_S):
            async with subscribe("water", settings, group="w") as first:
                assert (await anext(first)).message == orders[0]
                assert (await anext(first)).message == orders[1]
                waiting = asyncio.create_task(anext(second))
                await until_members(settings, "w", 2)
            assert (await waiting).message == orders[1]
            assert (await anext(second)).message == orders[2]
    finally:
        await second.close()


async def test_a_rebalance_brings_nothing_again_to_the_member_that_has_it_in_hand(
    settings: KafkaSettings, engine: PlayedEngine
) -> None:
    """A second process comes and goes while the first handles an order: the first goes on with the next one."""
    orders = [order_to("water", f"O-{number}") for number in range(2)]
    await engine.tell("water", *orders)
    async with asyncio.timeout(LIMIT_S), subscribe("water", settings, group="w") as first:
        assert (await anext(first)).message == orders[0]
        async with subscribe("water", settings, group="w"):
            await until_members(settings, "w", 2)
        await until_members(settings, "w", 1)
        assert (await anext(first)).message == orders[1]
