"""The client against a real Kafka; the engine is played by a transactional producer of the test's own."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator

import pytest

from linkage.client import Outbound, Publisher, answer_to, reply
from linkage.client.errors import KafkaUnreachable, TopicMissing, Unanswered
from linkage.client.outlet import encoded
from linkage.errors import LinkageError, NotWritten
from linkage.events.base import Attested, Channel, Counts, Place
from linkage.events.envelope import PARTY_MESSAGE, PartyMessage
from linkage.events.inbound import (
    Answer,
    AnswerOrder,
    CloseIncident,
    PlaceReport,
    RecordAnswer,
    ReportIncident,
    WithdrawTeam,
)
from linkage.events.outbound import GiveNotice, IssueReceipt
from linkage.settings import KafkaSettings
from linkage.topics import MESSAGE_LIMIT_BYTES, Family
from tests.played_engine import (
    AT,
    HUB,
    PlayedEngine,
    all_now,
    create_topics,
    order_to,
    playing_engine,
    receipt_for,
    records_of,
    refusal_for,
)

LIMIT_S = 20.0
pytestmark = pytest.mark.kafka
LANDSLIDE = ReportIncident(
    kind="nat.geo.landslide", place=Place(township=HUB, words="云台村2组"), counts=Counts(people_at_risk=120)
)
NOTICE = GiveNotice(code="overdue", hub=HUB, party="water", subject="O-91d0aa", text_en="late", text_zh="超时")


@pytest.fixture
async def settings(kafka_settings: KafkaSettings) -> KafkaSettings:
    topics = kafka_settings.topics
    await create_topics(
        kafka_settings,
        topics.report("hotline"),
        topics.dispatch("hotline"),
        topics.reply("water"),
        topics.dispatch("water"),
        topics.command(HUB),
        topics.dispatch(HUB),
    )
    return kafka_settings


@pytest.fixture
async def engine(settings: KafkaSettings) -> AsyncIterator[PlayedEngine]:
    async with playing_engine(settings) as played:
        yield played


async def test_a_report_is_an_event_on_the_sources_own_topic(settings: KafkaSettings) -> None:
    """What is read back is what was reported, with the sender's id, the type and the sender's time."""
    async with Publisher("hotline", settings) as publisher:
        published = await publisher.report("h-1", LANDSLIDE, time=AT)
    ((attributes, data),) = await records_of(settings, settings.topics.report("hotline"))
    assert (published.message_id, published.topic, published.offset) == ("h-1", settings.topics.report("hotline"), 0)
    assert (attributes.id, attributes.source, attributes.type) == ("h-1", "hotline", LANDSLIDE.type)
    assert attributes.time == "2026-11-23T02:31:14Z"
    assert PARTY_MESSAGE.validate_json(data) == LANDSLIDE


async def test_each_family_has_its_own_topic(settings: KafkaSettings) -> None:
    """A post's command goes to its command topic; a family that only the engine writes is refused before sending."""
    async with Publisher(HUB, settings) as post:
        sent = await post.send(Family.COMMAND, "c-1", WithdrawTeam(order_id="O-1", reason="needed at home"))
        assert sent.topic == settings.topics.command(HUB)
        with pytest.raises(LinkageError, match="engine's own"):
            await post.send(Family.INBOX, "c-2", WithdrawTeam(order_id="O-1", reason=""))


async def test_a_topic_that_does_not_exist_is_named_at_once(settings: KafkaSettings) -> None:
    """Who is not registered is told what to ask for, within seconds, and the look-up creates no topic."""
    async with asyncio.timeout(LIMIT_S):
        with pytest.raises(TopicMissing, match=r"linkage topics apply"):
            async with Publisher("nobody", settings):
                pytest.fail("a publisher without topics must not open")
        async with Publisher("water", settings) as water:
            with pytest.raises(TopicMissing, match=r"report\.water"):
                await water.report("w-1", LANDSLIDE)
        with pytest.raises(TopicMissing, match=r"dispatch\.nobody"):
            await all_now("nobody", settings)


async def test_an_unreachable_cluster_is_named_with_what_to_check() -> None:
    """The error names the address, the cause and what to look at."""
    nowhere = KafkaSettings(bootstrap_servers="127.0.0.1:1")
    with pytest.raises(KafkaUnreachable, match=r"127\.0\.0\.1:1.*(?s:.)*--security-protocol"):
        async with Publisher("hotline", nowhere):
            pytest.fail("nothing listens there")
    with pytest.raises(KafkaUnreachable):
        await all_now("hotline", nowhere)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        (KafkaSettings(security_protocol="SASL_SSL"), "LINKAGE_SASL_USERNAME"),
        (KafkaSettings(security_protocol="SASL_PLAINTEXT", sasl_username="water"), "LINKAGE_SASL_PASSWORD"),
        (KafkaSettings(security_protocol="SSL", ssl_cafile="no-such-ca.pem"), r"no-such-ca\.pem.*LINKAGE_SSL_CAFILE"),
    ],
    ids=["no user", "no password", "no CA"],
)
async def test_security_settings_that_cannot_work_are_named(settings: KafkaSettings, named: str) -> None:
    """Before anything is sent over the network."""
    with pytest.raises(LinkageError, match=named):
        await all_now("water", settings)


async def test_many_are_published_in_order_with_a_bounded_number_under_way(settings: KafkaSettings) -> None:
    """500 messages through a window of 7 stand in the topic in the order in which they were given."""
    async with Publisher("hotline", settings, in_flight_limit_messages=7) as publisher:
        many = (Outbound(f"h-{number}", LANDSLIDE) for number in range(500))
        offsets = [published.offset async for published in publisher.publish_many(Family.REPORT, many)]
    assert offsets == list(range(500))
    found = await records_of(settings, settings.topics.report("hotline"))
    assert [attributes.id for attributes, _ in found] == [f"h-{number}" for number in range(500)]


async def test_a_message_that_is_too_large_is_refused_before_sending(settings: KafkaSettings) -> None:
    """The error names size, limit and remedy, and the publisher goes on."""
    huge = LANDSLIDE.model_copy(update={"summary": "滑" * MESSAGE_LIMIT_BYTES})
    async with Publisher("hotline", settings) as publisher:
        with pytest.raises(NotWritten, match="attachments by reference"):
            await publisher.report("h-1", huge)
        assert (await publisher.report("h-2", LANDSLIDE)).offset == 0
        with pytest.raises(LinkageError, match="1 to 128 characters"):
            await publisher.report("x" * 129, LANDSLIDE)


async def test_the_receipt_of_a_message_can_be_awaited(settings: KafkaSettings, engine: PlayedEngine) -> None:
    """Only answers given since the publisher was opened count, each to the id it names; refusals are answers, too."""
    await engine.tell("hotline", refusal_for("hotline", "h-1"))
    async with Publisher("hotline", settings) as publisher:
        await publisher.report("h-1", LANDSLIDE)
        await publisher.report("h-2", LANDSLIDE)
        waiting = [asyncio.create_task(publisher.receipt(each, within_s=LIMIT_S)) for each in ("h-1", "h-2")]
        await engine.tell("hotline", refusal_for("hotline", "h-2"), receipt_for("hotline", "h-1"))
        assert await asyncio.gather(*waiting) == [receipt_for("hotline", "h-1"), refusal_for("hotline", "h-2")]
        assert await publisher.receipt("h-1", within_s=0.1) == receipt_for("hotline", "h-1")


async def test_an_answer_that_does_not_come_ends_the_wait(settings: KafkaSettings) -> None:
    """The error says that Kafka has the message and what to look at."""
    async with Publisher("hotline", settings) as publisher:
        await publisher.report("h-1", LANDSLIDE)
        with pytest.raises(Unanswered, match="Is a worker running"):
            await publisher.receipt("h-1", within_s=0.5)


async def test_a_message_sent_again_waits_for_its_new_answer(settings: KafkaSettings, engine: PlayedEngine) -> None:
    """A refusal that may be mended does not answer the second sending."""
    async with Publisher("hotline", settings) as publisher:
        await publisher.report("h-1", LANDSLIDE)
        await engine.tell("hotline", refusal_for("hotline", "h-1"))
        assert await publisher.receipt("h-1", within_s=LIMIT_S) == refusal_for("hotline", "h-1")
        await publisher.report("h-1", LANDSLIDE)
        waiting = asyncio.create_task(publisher.receipt("h-1", within_s=LIMIT_S))
        await engine.tell("hotline", receipt_for("hotline", "h-1"))
        assert isinstance(await waiting, IssueReceipt)


async def test_answers_are_followed_from_the_opening_of_the_publisher(
    settings: KafkaSettings, engine: PlayedEngine
) -> None:
    """What was said between opening and listening is not missed, what was said before is not shown."""
    await engine.tell("hotline", receipt_for("hotline", "before"))
    async with asyncio.timeout(LIMIT_S), Publisher("hotline", settings) as publisher:
        await engine.tell("hotline", receipt_for("hotline", "after"))
        async with publisher.answers() as answers:
            first = await anext(answers)
    assert first.message == receipt_for("hotline", "after")


async def test_a_reply_repeats_the_orders_hub_and_a_resend_is_the_same_message(settings: KafkaSettings) -> None:
    """Same order, revision and answer: same id and same bytes. Another answer or revision: another id."""
    order = order_to("water", exercise=True)
    first = await reply("water", order, "en_route", reason="two cars", eta_at=AT, settings=settings)
    await reply("water", order, Answer.EN_ROUTE, reason="two cars", eta_at=AT, settings=settings)
    sent, resent = await records_of(settings, settings.topics.reply("water"))
    assert sent == resent
    assert sent[0].id == first.message_id
    message = PARTY_MESSAGE.validate_json(sent[1])
    assert message == AnswerOrder(
        order_id=order.order_id, hub=HUB, answer=Answer.EN_ROUTE, reason="two cars", eta_at=AT, exercise=True
    )
    others = {
        answer_to(order_to("water", revision=2), "en_route").message_id,
        answer_to(order, "en_route", revision=2).message_id,
        answer_to(order, "received").message_id,
        first.message_id,
    }
    assert len(others) == 4
    with pytest.raises(LinkageError, match="no answer; say one of received"):
        answer_to(order, "maybe")


@pytest.mark.parametrize(
    "message",
    [
        ReportIncident(kind="fire"),
        LANDSLIDE,
        AnswerOrder(order_id="O-1", hub=HUB, answer=Answer.DECLINED, reason="no vehicle"),
        WithdrawTeam(order_id="O-1", reason="r"),
        CloseIncident(incident_id="I-1", reason="r", signed_by="李"),
        PlaceReport(report_sender="hotline", report_id="h-1", township=HUB),
        RecordAnswer(
            order_id="O-1",
            answer=Answer.RECEIVED,
            attested=Attested(on_behalf_of="water", channel=Channel.PHONE, heard_at=AT, recorded_by="王"),
        ),
    ],
    ids=lambda message: type(message).__name__,
)
def test_leaving_out_what_is_unknown_loses_nothing(message: PartyMessage) -> None:
    """What is read back from the bytes is the message, and no None stands in them."""
    assert PARTY_MESSAGE.validate_json(encoded(message)) == message
    assert b"null" not in encoded(message)


def test_importing_linkage_is_light_and_every_public_name_exists() -> None:
    """Neither the import nor the client needs faust, and the import alone needs neither aiokafka nor pydantic."""
    script = (
        "import sys, linkage\n"
        "assert not {'faust', 'aiokafka', 'pydantic'} & set(sys.modules), 'import linkage is heavy'\n"
        "for name in linkage.__all__: getattr(linkage, name)\n"
        "assert set(linkage.__all__) == set(linkage._MODULE_OF)\n"
        "from linkage import Publisher, subscribe, reply\n"
        "assert 'aiokafka' in sys.modules and 'faust' not in sys.modules, 'faust was imported'\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
