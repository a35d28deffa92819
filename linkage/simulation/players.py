"""Everybody outside, played by a seed: departments and teams that answer promptly, late, or never, or decline,
and command posts that place, close, withdraw and write down what they heard by telephone.

What a party does with an order hangs on the seed and the order's id, never on when it came: a run with fewer faults or
reports has the same people in it.
"""

from dataclasses import dataclass, field
from random import Random  # noqa: TID251 (the simulation's own seeded chance)

from linkage import wire
from linkage.errors import LogError
from linkage.events.base import Attested, Channel, Frozen, instant
from linkage.events.envelope import PARTY_BOUND
from linkage.events.inbound import Answer, AnswerOrder, CloseIncident, PlaceReport, RecordAnswer, WithdrawTeam
from linkage.events.outbound import DispatchTeam, GiveNotice, StandDown, WhistleDepartment
from linkage.runtime.ports import Outgoing, Reader, TopicPartition
from linkage.simulation.cluster import Cluster
from linkage.simulation.small_county import PARTIES, TOWNSHIPS

Order = WhistleDepartment | DispatchTeam | StandDown
Reaction = tuple[int, str, Frozen, str]
"""(milliseconds from now, topic, message, message id)"""

STEPS = (Answer.RECEIVED, Answer.ACCEPTED, Answer.EN_ROUTE, Answer.REPORTED_IN, Answer.DONE)
PROMPT_MS, LATE_MS = (500, 7_000), (5_000, 60_000)
CLOSE_MS, WITHDRAW_MS, PLACE_MS, PHONE_MS = (60_000, 500_000), (2_000, 90_000), (3_000, 90_000), (1_000, 20_000)
SILENT_SHARE, DECLINING_SHARE, LATE_SHARE = 0.15, 0.2, 0.25
BREAKING_OFF_SHARE, CLOSE_SHARE, WITHDRAW_SHARE, PLACE_SHARE, PHONE_SHARE = 0.1, 0.3, 0.12, 0.8, 0.4
READ_WAIT_MS = 60_000
READ_LIMIT_RECORDS = 500
SEND_AGAIN_MS = 1_000


def outgoing(topic: str, message: Frozen, message_id: str, sender: str) -> Outgoing:
    """A party's message as a CloudEvents event."""
    kind = str(type(message).model_fields["type"].default)
    headers = wire.headers(wire.Attributes(message_id, f"/party/{sender}", kind))
    return Outgoing(topic, 0, message_id.encode(), message.model_dump_json().encode(), headers)


@dataclass(slots=True)
class Players:
    """All parties of the small county. `is_over`: nobody begins anything new; what is under way goes on."""

    cluster: Cluster
    seed: int
    orders: dict[str, Order] = field(default_factory=dict)
    is_over: bool = False
    said: int = 0

    def start(self) -> None:
        for party in PARTIES:
            self.cluster.time.spawn(self._listen(party.id), f"party {party.id}")

    async def _listen(self, party: str) -> None:
        at = TopicPartition(self.cluster.topics.dispatch(party), 0)
        reader = await self._opened(at)
        while True:
            try:
                records = await reader.read(READ_LIMIT_RECORDS, READ_WAIT_MS)
            except LogError:
                await self.cluster.time.sleep(SEND_AGAIN_MS)
                continue
            for record in records:
                self._react(party, PARTY_BOUND.validate_json(record.value or b""))

    async def _opened(self, at: TopicPartition) -> Reader:
        while True:
            try:
                return await self.cluster.outside.reader({at: 0})
            except LogError:
                await self.cluster.time.sleep(SEND_AGAIN_MS)

    def _react(self, party: str, message: Frozen) -> None:
        match message:
            case WhistleDepartment() | DispatchTeam():
                self.orders[message.order_id] = message
                self._plan(self._answers(message), party)
                if isinstance(message, DispatchTeam) and not self.is_over:
                    self._plan(self._withdrawal(message), message.briefing.place.hub or message.hub)
            case StandDown():
                self._plan(self._stood_down(message), party)
            case GiveNotice() if not self.is_over and party == message.hub:
                self._plan(self._noticed(message), party)
            case _:
                return

    def _plan(self, reactions: list[Reaction], sender: str) -> None:
        for after_ms, topic, message, message_id in reactions:
            record = outgoing(topic, message, message_id, sender)
            self.cluster.time.spawn(self._say_later(after_ms, record), message_id)

    async def _say_later(self, after_ms: int, record: Outgoing) -> None:
        await self.cluster.time.sleep(after_ms)
        await self.say(record)

    async def say(self, record: Outgoing) -> None:
        """Again until it is acknowledged, as a sender with an outbox does."""
        while True:
            try:
                await self.cluster.outside.append([record])
            except LogError:
                await self.cluster.time.sleep(SEND_AGAIN_MS)
                continue
            self.said += 1
            return

    def _chance(self, *of: object) -> Random:
        return Random(f"{self.seed}:{of}")

    def _answers(self, order: WhistleDepartment | DispatchTeam) -> list[Reaction]:
        """What an order leads to: step by step until it is done, or broken off, declined, or never answered."""
        chance = self._chance("answers", order.order_id)
        temper = chance.random()
        if temper < SILENT_SHARE:
            return []
        is_late = temper > 1 - LATE_SHARE
        first_ms, last_ms = LATE_MS if is_late else PROMPT_MS
        after_ms = chance.randint(first_ms, last_ms)
        if temper < SILENT_SHARE + DECLINING_SHARE:
            return [self._answer(order, Answer.DECLINED, after_ms)]
        reactions: list[Reaction] = []
        for step in STEPS:
            reactions.append(self._answer(order, step, after_ms))
            if chance.random() < BREAKING_OFF_SHARE:
                break
            after_ms += chance.randint(first_ms, last_ms)
        return reactions

    def _answer(self, order: Order, answer: Answer, after_ms: int) -> Reaction:
        said = AnswerOrder(order_id=order.order_id, hub=order.hub, answer=answer)
        message_id = f"{order.order_id}.{order.revision}.{answer}"
        return after_ms, self.cluster.topics.reply(order.party), said, message_id

    def _stood_down(self, order: StandDown) -> list[Reaction]:
        chance = self._chance("stood down", order.order_id)
        if chance.random() < SILENT_SHARE and not self.is_over:
            return []
        return [self._answer(order, Answer.DONE, chance.randint(*PROMPT_MS))]

    def _withdrawal(self, order: DispatchTeam) -> list[Reaction]:
        """The post of the place where the team goes takes it back; a county's team, too."""
        chance = self._chance("withdrawal", order.order_id)
        if chance.random() >= WITHDRAW_SHARE:
            return []
        command = WithdrawTeam(order_id=order.order_id, reason="road closed", replace=chance.random() < 0.5)
        topic = self.cluster.topics.command(order.briefing.place.hub or order.hub)
        return [(chance.randint(*WITHDRAW_MS), topic, command, f"withdraw.{order.order_id}")]

    def _noticed(self, notice: GiveNotice) -> list[Reaction]:
        """What a post does about a notice: it closes incidents, places reports, telephones whoever is overdue."""
        chance = self._chance(notice.code, notice.subject)
        topic = self.cluster.topics.command(notice.party)
        match notice.code:
            case "incident_opened" if chance.random() < CLOSE_SHARE:
                close = CloseIncident(incident_id=notice.subject, reason="over", signed_by="Li")
                return [(chance.randint(*CLOSE_MS), topic, close, f"close.{notice.subject}")]
            case "report_unplaced" if chance.random() < PLACE_SHARE:
                sender, _, message_id = notice.subject.partition("/")
                township = chance.choice(TOWNSHIPS)
                place = PlaceReport(report_sender=sender, report_id=message_id, township=township, reason="telephoned")
                return [(chance.randint(*PLACE_MS), topic, place, f"place.{notice.subject}")]
            case "overdue" if chance.random() < PHONE_SHARE:
                return self._telephoned(notice, chance, topic)
            case _:
                return []

    def _telephoned(self, notice: GiveNotice, chance: Random, topic: str) -> list[Reaction]:
        order = self.orders.get(notice.subject)
        if order is None:
            return []
        answer = chance.choice((Answer.RECEIVED, Answer.ACCEPTED, Answer.EN_ROUTE, Answer.DECLINED))
        heard_at = instant(self.cluster.time.now_ms())
        heard = Attested(on_behalf_of=order.party, channel=Channel.PHONE, heard_at=heard_at, recorded_by="Wang")
        record = RecordAnswer(order_id=order.order_id, answer=answer, attested=heard)
        return [(chance.randint(*PHONE_MS), topic, record, f"phone.{order.order_id}.{heard_at.timestamp()}")]
