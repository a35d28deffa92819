"""One language for both logs: records in, records out, and facts in the journal. It knows only the two ports.

A flow is `async def flow(world)`. Its spans are the small county's seconds times `scale`; on the memory log they pass
in no time, on Kafka for real. Nothing waits for time to pass: every `await` is for a message or a fact, within a limit.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from linkage import wire
from linkage.events.base import Counts, Frozen, Place
from linkage.events.envelope import JOURNAL, PARTY_BOUND, JournalRecord
from linkage.events.inbound import AnswerOrder, LoadReference, ReportIncident
from linkage.events.outbound import DispatchTeam, GiveNotice, IssueReceipt, IssueRefusal, StandDown, WhistleDepartment
from linkage.runtime.ports import Log, Outgoing, Time, TopicPartition
from linkage.topics import Topics
from tests import small_county
from tests.small_county import COUNTY, NORTH, SLIDE, VILLAGE

Message = TypeVar("Message", bound=Frozen)
FactType = TypeVar("FactType", bound=Frozen)

WAIT_LIMIT_S = 40
"""Of the world's own clock: a fact that has not come by then does not come."""
POLL_MS = 50
PARTITIONS = 4


@dataclass
class World:
    """A small county and everybody in it who speaks."""

    log: Log
    time: Time
    topics: Topics
    scale: float
    said: int = 0
    seen: dict[str, int] = field(default_factory=dict)

    # Speaking ------------------------------------------------------------------------------------------------------

    async def load(self) -> None:
        """Given: the county is registered and every hub has its reference data."""
        registry = [
            _record(self.topics.registry, entry.party.id, entry, entry.party.id) for entry in small_county.registry()
        ]
        await self.log.append(registry)
        for hub in small_county.HUBS:
            await self.command(
                COUNTY, LoadReference(hub=hub, reference=small_county.reference(hub, self.scale)), f"load-{hub}"
            )
        for hub in small_county.HUBS:
            await self.receipt(COUNTY, f"load-{hub}")

    async def report(
        self, message_id: str, township: str | None = NORTH, *, sender: str = "grid", **fields: Any
    ) -> str:
        """A report of a landslide danger; returns its id. `fields` replace parts of it."""
        place = (
            Place(township=township, village=VILLAGE[township]) if township else Place(words="somewhere by the river")
        )
        content = {"kind": SLIDE, "place": place, "counts": Counts(people_at_risk=50, dead=0), **fields}
        await self.say(self.topics.report(sender), ReportIncident(**content), message_id, sender)
        return message_id

    async def answer(self, order: DispatchTeam | WhistleDepartment | StandDown, answer: str, **fields: Any) -> str:
        """The party an order went to answers it."""
        self.said += 1
        message_id = fields.pop("message_id", f"answer-{self.said}")
        sender = fields.pop("sender", order.party)
        said = AnswerOrder(order_id=order.order_id, hub=order.hub, answer=answer, **fields)  # type: ignore[arg-type]
        await self.say(self.topics.reply(sender), said, message_id, sender)
        return message_id

    async def command(self, post: str, command: Frozen, message_id: str | None = None) -> str:
        self.said += 1
        message_id = message_id or f"command-{self.said}"
        await self.say(self.topics.command(post), command, message_id, post)
        return message_id

    async def bytes(self, topic: str, value: bytes, headers: Sequence[tuple[str, bytes]] = ()) -> None:
        """Whatever anybody may put on a topic."""
        await self.log.append([Outgoing(topic, 0, None, value, tuple(headers))])

    async def say(self, topic: str, message: Frozen, message_id: str, sender: str) -> None:
        await self.log.append([_record(topic, message_id, message, message_id, sender)])

    # Hearing -------------------------------------------------------------------------------------------------------

    async def heard(self, party: str, kind: type[Message], limit_s: float = WAIT_LIMIT_S, **fields: Any) -> Message:
        """Then: the party's dispatch topic brings a message of this kind with these fields."""

        def wanted(message: Frozen) -> bool:
            return isinstance(message, kind) and all(getattr(message, name) == value for name, value in fields.items())

        topic = self.topics.dispatch(party)
        messages = await self._until(
            lambda: self.dispatched(party), wanted, limit_s, f"{kind.__name__} {fields} on {topic}"
        )
        return next(message for message in messages if isinstance(message, kind) and wanted(message))

    async def receipt(self, party: str, message_id: str, **fields: Any) -> IssueReceipt:
        return await self.heard(party, IssueReceipt, message_id=message_id, **fields)

    async def refusal(self, party: str, message_id: str, **fields: Any) -> IssueRefusal:
        return await self.heard(party, IssueRefusal, message_id=message_id, **fields)

    async def notice(self, party: str, code: str, **fields: Any) -> GiveNotice:
        return await self.heard(party, GiveNotice, code=code, **fields)

    async def ordered(self, team: str, party: str = NORTH, **fields: Any) -> DispatchTeam:
        return await self.heard(party, DispatchTeam, team=team, **fields)

    async def whistled(self, party: str, **fields: Any) -> WhistleDepartment:
        return await self.heard(party, WhistleDepartment, **fields)

    async def dispatched(self, party: str) -> list[Frozen]:
        """Everything on a party's dispatch topic, as a committed reader sees it."""
        records = await self._read(TopicPartition(self.topics.dispatch(party), 0))
        return [PARTY_BOUND.validate_json(value) for value in records]

    # The journal ---------------------------------------------------------------------------------------------------

    async def fact(self, kind: type[FactType], limit_s: float = WAIT_LIMIT_S, **fields: Any) -> FactType:
        """Then: a fact of this kind with these fields stands in the journal."""

        def wanted(fact: Frozen) -> bool:
            return isinstance(fact, kind) and all(getattr(fact, name) == value for name, value in fields.items())

        facts = await self._until(self.facts, wanted, limit_s, f"fact {kind.__name__} {fields}")
        return next(fact for fact in facts if isinstance(fact, kind) and wanted(fact))

    async def facts(self) -> list[Frozen]:
        return [staged.fact for entry in await self.journal() for staged in entry.facts]

    async def journal(self) -> list[JournalRecord]:
        """Every step of every hub, partition after partition."""
        entries = []
        for partition in range(PARTITIONS):
            for value in await self._read(TopicPartition(self.topics.journal, partition)):
                entry = JOURNAL.validate_json(value)
                if isinstance(entry, JournalRecord):
                    entries.append(entry)
        return entries

    async def quiet(self, message_id: str) -> None:
        """Then: everything that was said before is decided. Says one thing more and waits for its refusal."""
        await self.answer_nobody(message_id)
        await self.refusal("health", message_id)

    async def answer_nobody(self, message_id: str) -> None:
        said = AnswerOrder(order_id="O-nobody", hub=NORTH, answer="received")  # type: ignore[arg-type]
        await self.say(self.topics.reply("health"), said, message_id, "health")

    async def _until(
        self,
        read: Callable[[], Any],
        wanted: Callable[[Frozen], bool],
        limit_s: float,
        what: str,
    ) -> list[Frozen]:
        give_up_at_ms = self.time.monotonic_ms() + int(limit_s * 1000)
        while True:
            found: list[Frozen] = await read()
            if any(wanted(one) for one in found):
                return found
            if self.time.monotonic_ms() > give_up_at_ms:
                shown = "\n  ".join(str(one)[:300] for one in found[-12:])
                raise AssertionError(f"no {what} within {limit_s} s; the last that came:\n  {shown}")
            await self.time.sleep(POLL_MS)

    async def _read(self, at: TopicPartition) -> list[bytes]:
        end = (await self.log.end_offsets([at]))[at]
        reader = await self.log.reader({at: 0})
        values: list[bytes] = []
        try:
            while await reader.position(at) < end:
                values += [record.value or b"" for record in await reader.read(500, 200)]
        finally:
            await reader.close()
        return values


def _record(topic: str, key: str, message: Frozen, message_id: str, sender: str = COUNTY) -> Outgoing:
    kind = type(message).model_fields["type"].default
    attributes = wire.Attributes(message_id, f"/party/{sender}", kind)
    return Outgoing(topic, 0, key.encode(), message.model_dump_json().encode(), wire.headers(attributes))
