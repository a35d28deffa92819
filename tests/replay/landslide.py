"""A landslide in the small county, played through the real loops on the log in memory: what replay and audit read.

North's own teams are used up (one declines, one stays silent), the county lends its brigade; natural resources stays
silent and the emergency bureau takes its seat; health answers by telephone and reports in late; the post closes it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from linkage import wire
from linkage.events.base import Attested, Channel, Counts, Place, instant
from linkage.events.envelope import LogIdentity
from linkage.events.inbound import (
    Answer,
    AnswerOrder,
    CloseIncident,
    LoadReference,
    PlaceReport,
    RecordAnswer,
    ReportIncident,
)
from linkage.events.outbound import DispatchTeam, WhistleDepartment
from linkage.replay.audit import SourceView
from linkage.replay.journal import RawEntry
from linkage.runtime.member import Member
from linkage.runtime.ports import Outgoing, Record
from linkage.runtime.progress import LoopLimits
from linkage.simulation.memory_broker import BrokerSettings, MemoryBroker
from linkage.simulation.memory_log import MemoryLog
from linkage.simulation.virtual_time import VirtualTime
from linkage.topics import Topics
from tests import small_county as county

PARTITIONS = 4
LOG_IDS = {number: f"log-{number}" for number in range(PARTITIONS)}
SLIDE_AT = Place(village=county.VILLAGE[county.NORTH], words="gully 2")
SETTLE_MS = 2_000


class Played:
    """One worker and the county's parties. `run` plays a story to its end."""

    def __init__(self, topics: Topics) -> None:
        self.topics = topics
        self.time = VirtualTime(7)
        self.broker = MemoryBroker(self.time, 7, BrokerSettings(latency_ms=(0, 0)))
        sources = [one.id for one in county.PARTIES if one.kind == "source"]
        others = [one.id for one in county.PARTIES if one.kind != "source"]
        for name, spec in self.topics.of_parties(sources, others, list(county.HUBS)):
            self.broker.create_topic(name, spec.partitions or PARTITIONS, spec.message_limit_bytes)
        self.outside = MemoryLog(self.broker, self.time.process("outside"))
        self.sent = 0

    def run(self, story: Any) -> None:
        self.time.run_until(self._played(story))
        self.time.close()

    async def _played(self, story: Any) -> None:
        await self._apply()
        process = self.time.process("worker")
        log = MemoryLog(self.broker, process)
        limits = LoopLimits(read_wait_ms=50, clock_tick_ms=200)
        member = Member(log, process, self.topics, LOG_IDS, limits, b"key", on_fatal=_fail)
        process.spawn(self._serve(member), "member")
        await self.time.sleep(SETTLE_MS)
        await self.load()
        await story(self)

    async def _serve(self, member: Member) -> None:
        member.start()
        member.rebalanced(range(PARTITIONS))

    async def _apply(self) -> None:
        for number, log_id in LOG_IDS.items():
            value = LogIdentity(log_id=log_id).model_dump_json().encode()
            await self.outside.append([Outgoing(self.topics.journal, number, None, value)])
        parties = [(one.party.id.encode(), one.model_dump_json().encode()) for one in county.registry()]
        await self.outside.append([Outgoing(self.topics.registry, 0, key, value) for key, value in parties])

    async def load(self) -> None:
        for hub in county.HUBS:
            message = LoadReference(hub=hub, occurred_at=self.now, reference=county.reference(hub))
            await self.say(self.topics.command(county.COUNTY), county.COUNTY, f"load-{hub}", message)

    @property
    def now(self) -> Any:
        return instant(self.time.now_ms())

    async def say(self, topic: str, sender: str, message_id: str, message: Any) -> None:
        headers = wire.headers(wire.Attributes(message_id, sender, message.type))
        await self.outside.append([Outgoing(topic, 0, None, message.model_dump_json().encode(), headers)])
        await self.time.sleep(SETTLE_MS)

    async def raw(self, topic: str, value: bytes) -> None:
        await self.outside.append([Outgoing(topic, 0, None, value)])
        await self.time.sleep(SETTLE_MS)

    async def report(self, source: str, message_id: str, **told: Any) -> None:
        report = ReportIncident(**{"occurred_at": self.now, "kind": county.SLIDE, "place": SLIDE_AT, **told})
        await self.say(self.topics.report(source), source, message_id, report)

    async def answer(
        self, party: str, order: WhistleDepartment | DispatchTeam, *answers: Answer, reason: str = ""
    ) -> None:
        for answer in answers:
            self.sent += 1
            message = AnswerOrder(order_id=order.order_id, hub=order.hub, answer=answer, reason=reason)
            await self.say(self.topics.reply(party), party, f"answer-{self.sent}", message)

    def orders(self, party: str) -> list[Any]:
        """Orders on a party's dispatch topic, oldest first."""
        kinds: dict[str, type[WhistleDepartment] | type[DispatchTeam]] = {
            "linkage.WhistleDepartment.v0": WhistleDepartment,
            "linkage.DispatchTeam.v0": DispatchTeam,
        }
        found = []
        for record in self.broker.committed_records(self.topics.dispatch(party)):
            kind = kinds.get(dict(record.headers)["ce_type"].decode())
            if kind is not None:
                found.append(kind.model_validate_json(record.value or b""))
        return found

    def team_order(self, party: str, team: str) -> DispatchTeam:
        return next(one for one in self.orders(party) if isinstance(one, DispatchTeam) and one.team == team)


def _fail(error: BaseException) -> None:
    raise error


async def story(played: Played) -> None:
    """The landslide, from the first report to the closed incident and everybody back."""
    await played.report("grid", "g-1", counts=Counts(people_at_risk=600), summary="cracks widen")
    await played.report("hotline", "h-1", counts=Counts(people_at_risk=120))
    await played.report("grid", "g-1-bis", supersedes="g-1", counts=Counts(people_at_risk=620, dead=0))
    await _same_again(played)
    await played.raw(played.topics.report("hotline"), b"not an event")
    await _departments(played)
    await _teams(played)
    incident = played.orders("health")[0].briefing.incident_id
    await played.report("hotline", "h-2", place=Place(words="somewhere on the county road"))
    place = PlaceReport(report_sender="hotline", report_id="h-2", township=county.SOUTH, reason="called back")
    await played.say(played.topics.command(county.COUNTY), county.COUNTY, "place-1", place)
    close = CloseIncident(incident_id=incident, reason="slope holds", signed_by="Li 李")
    await played.say(played.topics.command(county.NORTH), county.NORTH, "close-1", close)
    await played.answer("fire-rescue", played.team_order("fire-rescue", "county-brigade"), Answer.DONE)
    await played.time.sleep(5_000)


async def _same_again(played: Played) -> None:
    """A source sends exactly what it sent before."""
    first = next(one for one in played.broker.committed_records(played.topics.report("grid")) if _id(one) == "g-1")
    await played.outside.append([Outgoing(first.topic, 0, None, first.value or b"", first.headers)])
    await played.time.sleep(SETTLE_MS)


def _id(record: Record) -> str:
    return dict(record.headers)["ce_id"].decode()


async def _departments(played: Played) -> None:
    health = played.orders("health")[0]
    by_phone = Attested(on_behalf_of="health", channel=Channel.PHONE, heard_at=played.now, recorded_by="Wang 王")
    heard = RecordAnswer(order_id=health.order_id, answer=Answer.ACCEPTED, attested=by_phone)
    await played.say(played.topics.command(county.NORTH), county.NORTH, "heard-1", heard)
    await played.answer("natural-resources", health, Answer.RECEIVED)


async def _teams(played: Played) -> None:
    await played.answer(
        county.NORTH, played.team_order(county.NORTH, "north-rescue"), Answer.DECLINED, reason="no vehicle"
    )
    await played.time.sleep(county.RECEIVE_S * 1_000)
    brigade = played.team_order("fire-rescue", "county-brigade")
    await played.answer("fire-rescue", brigade, Answer.RECEIVED, Answer.ACCEPTED, Answer.EN_ROUTE, Answer.REPORTED_IN)
    await played.answer(
        "emergency", played.orders("emergency")[0], Answer.ACCEPTED, Answer.EN_ROUTE, Answer.REPORTED_IN
    )
    await played.time.sleep(2 * county.REPORT_IN_S * 1_000)
    await played.answer("health", played.orders("health")[0], Answer.REPORTED_IN)
    await played.answer(county.NORTH, played.team_order(county.NORTH, "north-militia"), Answer.DONE)


@dataclass(frozen=True)
class Left:
    """What a played story leaves in the log."""

    journal: tuple[RawEntry, ...]
    sources: tuple[Record, ...]
    dispatch: tuple[Record, ...]
    spans: tuple[tuple[str, int, int, int], ...]

    def view(self) -> SourceView:
        return SourceView(self.spans, self.sources, self.dispatch)


@cache
def landslide(namespace: str = "linkage") -> Left:
    """The story, played once for all tests: what it leaves is never changed, only copied."""
    topics = Topics(namespace)
    played = Played(topics)
    played.run(story)
    broker = played.broker
    journal = [
        one
        for number in range(PARTITIONS)
        for one in broker.committed_records(topics.journal)
        if one.partition == number
    ]
    sources = [name for name in sorted(broker.topics) if topics.inbound_of(name)]
    dispatch = [name for name in sorted(broker.topics) if name.startswith(topics.dispatch(""))]
    return Left(
        tuple(RawEntry(one.partition, one.offset, one.timestamp_ms, one.value or b"") for one in journal),
        tuple(_records(broker, sources)),
        tuple(_records(broker, dispatch)),
        tuple((name, 0, 0, 1_000) for name in sources),
    )


def _records(broker: MemoryBroker, names: list[str]) -> Iterator[Record]:
    for name in names:
        yield from broker.committed_records(name)
