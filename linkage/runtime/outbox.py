"""From a step to the records of its transaction: the journal record, and every message to where it can be delivered."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple
from zlib import crc32

from linkage import identity, wire
from linkage.engine import RULES, Step, encoded_facts
from linkage.events.base import filled
from linkage.events.envelope import InboxRecord, Sent
from linkage.events.outbound import GiveNotice, RejectRecord
from linkage.routing import Addressed, To
from linkage.runtime.letters import letter_of
from linkage.runtime.ports import Log, Outgoing, Time
from linkage.topics import Family, Topics, party_told, spec_of

JOURNAL_RECORD_LIMIT_BYTES = spec_of(Family.JOURNAL).message_limit_bytes - 4_096
MESSAGE_RECORD_LIMIT_BYTES = spec_of(Family.DISPATCH).message_limit_bytes - 4_096
"""What a topic takes, less what headers and framing need."""
AVOIDED_FOR_MS = 30_000
"""How long a party's topic that failed a transaction is not tried again."""


class Bundle(NamedTuple):
    """Everything one step writes."""

    records: tuple[Outgoing, ...]
    size_bytes: int
    is_too_large: str | None = None
    """Why it can't be written; None when it can."""


@dataclass(frozen=True, slots=True)
class Outbox:
    """Knows the topics, the identity of each inbox partition's log, and which destinations can be written."""

    log: Log
    time: Time
    topics: Topics
    log_ids: Mapping[int, str]
    failed: dict[str, int] = field(default_factory=dict)
    """Dispatch topics that could not be written, and until when (monotonic milliseconds) they are not tried."""

    def avoid(self, topic: str | None) -> None:
        """A party's topic that failed a transaction: what is for it goes to `rejected` for a while."""
        if topic is not None and party_told(topic) is not None:
            self.failed[topic] = self.time.monotonic_ms() + AVOIDED_FOR_MS

    async def _partitions(self, topic: str) -> int:
        if self.failed.get(topic, 0) > self.time.monotonic_ms():
            return 0
        return await self.log.partitions(topic)

    async def bundle(self, step: Step, position: int, inbox: bytes) -> Bundle:
        """The records of one step. `inbox`: the bytes of the inbox record, as they were read."""
        outgoing: list[Outgoing] = []
        sent: list[Sent] = []
        for addressed in step.messages:
            await self._deliver(addressed, step, outgoing, sent)
        journal = self._journal(step, position, inbox, sent)
        too_large = _too_large(journal, outgoing)
        records = (journal, *outgoing)
        return Bundle(records, sum(len(record.value) for record in records), too_large)

    async def _deliver(self, addressed: Addressed, step: Step, outgoing: list[Outgoing], sent: list[Sent]) -> None:
        topic = self._topic(addressed)
        partitions = len(self.log_ids) if addressed.to is To.HUB else await self._partitions(topic)
        if partitions:
            outgoing.append(self._outgoing(addressed, topic, partitions, step))
            sent.append(_sent(addressed, topic))
            return
        because = f"topic {topic} does not exist or can't be written: see `linkage topics apply` and its rights"
        sent.append(_sent(addressed, topic, because))
        rejected = _undeliverable(addressed, because, step)
        outgoing.append(self._outgoing(rejected, self.topics.rejected, 1, step))
        post = _post_is_told(addressed, because, step)
        if post is not None and post.name != addressed.name and await self._partitions(self._topic(post)):
            outgoing.append(self._outgoing(post, self._topic(post), 1, step))
            sent.append(_sent(post, self._topic(post)))

    def _topic(self, addressed: Addressed) -> str:
        match addressed.to:
            case To.PARTY:
                return self.topics.dispatch(addressed.name)
            case To.HUB:
                return self.topics.inbox
            case To.REJECTED:
                return self.topics.rejected

    def _outgoing(self, addressed: Addressed, topic: str, partitions: int, step: Step) -> Outgoing:
        message = addressed.message
        if addressed.to is To.HUB:
            partition = identity.partition_of(addressed.name, partitions)
            return self._to_hub(addressed, partition, step)
        attributes = wire.Attributes(
            addressed.message_id,
            f"/hub/{step.hub.code}",
            addressed.type,
            wire.rfc3339(step.hub.now),
            addressed.subject,
        )
        value = message.__pydantic_serializer__.to_json(message)
        key = addressed.subject.encode()
        return Outgoing(topic, crc32(key) % partitions, key, value, wire.headers(attributes))

    def _to_hub(self, addressed: Addressed, partition: int, step: Step) -> Outgoing:
        letter = letter_of(
            log_id=self.log_ids[partition],
            hub=addressed.name,
            kind="hub",
            sender=step.hub.code,
            message_id=addressed.message_id,
            digest="-",
            sent_at=step.hub.now,
            origin=None,
            data=addressed.message,
        )
        return inbox_outgoing(self.topics, partition, letter)

    def _journal(self, step: Step, position: int, inbox: bytes, sent: list[Sent]) -> Outgoing:
        value = b'{"type":"linkage.JournalRecord.v0","position":%d,"hub":"%b","now":"%b","rules":%d,' % (
            position,
            step.hub.code.encode(),
            wire.rfc3339(step.hub.now).encode(),
            RULES,
        )
        sent_json = b",".join(item.__pydantic_serializer__.to_json(item) for item in sent)
        value += b'"inbox":%b,"facts":%b,"sent":[%b]}' % (inbox, encoded_facts(step.facts), sent_json)
        code = step.hub.code
        partition = identity.partition_of(code, len(self.log_ids))
        return Outgoing(self.topics.journal, partition, code.encode(), value)


def inbox_outgoing(topics: Topics, partition: int, letter: InboxRecord) -> Outgoing:
    """An inbox record, as ingress, clock and hubs write it."""
    value = letter.__pydantic_serializer__.to_json(letter)
    return Outgoing(topics.inbox, partition, letter.hub.encode(), value)


def _sent(addressed: Addressed, topic: str, diverted_because: str | None = None) -> Sent:
    return filled(
        Sent,
        topic=topic,
        message_id=addressed.message_id,
        type=addressed.type,
        diverted_because=diverted_because,
    )


def _undeliverable(addressed: Addressed, because: str, step: Step) -> Addressed:
    message = addressed.message
    rejected = RejectRecord(
        hub=step.hub.code,
        party=addressed.name,
        code="no_destination",
        reason=because,
        message_id=addressed.message_id,
        bytes_base64=b64encode(message.__pydantic_serializer__.to_json(message)).decode(),
    )
    message_id = identity.message_id("undeliverable", addressed.message_id)
    return Addressed(To.REJECTED, step.hub.code, message_id, addressed.subject, rejected)


def _post_is_told(addressed: Addressed, because: str, step: Step) -> Addressed | None:
    if step.hub.reference is None:
        return None
    post = step.hub.reference.content.post
    notice = GiveNotice(
        code="no_destination",
        hub=step.hub.code,
        party=post,
        subject=addressed.subject,
        text_en=f"{addressed.name} could not be reached through its topic: {because}. Telephone it.",
        text_zh=f"{addressed.name}的主题不可用，消息未送达，请电话联系。",
    )
    return Addressed(To.PARTY, post, identity.message_id("post_told", addressed.message_id), addressed.subject, notice)


def _too_large(journal: Outgoing, outgoing: list[Outgoing]) -> str | None:
    if len(journal.value) > JOURNAL_RECORD_LIMIT_BYTES:
        return f"its journal record has {len(journal.value)} bytes, the limit is {JOURNAL_RECORD_LIMIT_BYTES}"
    largest = max(outgoing, key=lambda record: len(record.value), default=None)
    if largest is not None and len(largest.value) > MESSAGE_RECORD_LIMIT_BYTES:
        return f"a message to {largest.topic} has {len(largest.value)} bytes, the limit is {MESSAGE_RECORD_LIMIT_BYTES}"
    return None
