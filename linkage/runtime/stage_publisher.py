"""The stage publisher: each stage's facts onto its topic, from the committed journal, at least once, with stable ids.

It follows the journal and never holds a hub up. Its position is a committed group offset: after a crash facts come
again, under the same ids.
"""

from dataclasses import dataclass, field
from typing import Any

import structlog
from pydantic_core import from_json, to_json

from linkage import identity, wire
from linkage.errors import LogError
from linkage.events.envelope import JournalRecord, PublishedFact
from linkage.runtime.ports import Log, Outgoing, Reader, Record, Time, TopicPartition
from linkage.runtime.progress import Backoff, LoopLimits, Progress, rest
from linkage.topics import Topics

_LOG = structlog.get_logger("linkage.publisher")

PUBLISHED: str = PublishedFact.model_fields["type"].default
JOURNALED: str = JournalRecord.model_fields["type"].default


@dataclass(slots=True)
class StagePublisher:
    """Publishes the facts of one hub partition's journal."""

    log: Log
    time: Time
    topics: Topics
    partition: int
    log_id: str
    limits: LoopLimits
    progress: Progress = field(init=False)
    is_stopping: bool = False

    def __post_init__(self) -> None:
        self.progress = Progress(f"publisher.{self.partition}")

    @property
    def journal(self) -> TopicPartition:
        return TopicPartition(self.topics.journal, self.partition)

    async def run(self) -> None:
        """Until stopped."""
        backoff = Backoff(self.limits.retry_first_ms, self.limits.retry_limit_ms)
        while not self.is_stopping:
            reader: Reader | None = None
            self.progress.prepared(self.time.monotonic_ms())
            try:
                reader = await self._opened()
                while not self.is_stopping:
                    await self._publish_list(reader)
                    backoff.succeeded()
            except (LogError, TimeoutError) as error:
                self.progress.detail = f"{type(error).__name__}: {error}"
                _LOG.warning("publisher_waits", partition=self.partition, detail=self.progress.detail)
                await rest(self.time, self.progress, backoff.next_ms(self.time.jitter()))
            finally:
                self.progress.ended()
                if reader is not None:
                    await reader.close()

    async def _opened(self) -> Reader:
        committed = (await self.log.committed(self.topics.publisher_group, [self.journal])).get(self.journal)
        beginning = (await self.log.beginning_offsets([self.journal]))[self.journal]
        at = max(committed or 0, beginning)
        self.progress.phase = "serving"
        self.progress.moved(at, self.time.monotonic_ms())
        return await self.log.reader({self.journal: at})

    async def _publish_list(self, reader: Reader) -> None:
        records = await reader.read(self.limits.list_limit_records, self.limits.read_wait_ms)
        outgoing = [fact for record in records for fact in self._facts(record)]
        if outgoing:
            await self.log.append(outgoing)
        position = await reader.position(self.journal)
        if records:
            await self.log.commit_for(self.topics.publisher_group, {self.journal: position})
        self.progress.done += len(records)
        self.progress.moved(position, self.time.monotonic_ms())

    def _facts(self, record: Record) -> list[Outgoing]:
        """A `PublishedFact` for each fact, written around the fact's own bytes: what the hub wrote is not validated
        once more, and what all facts of a step share is written once."""
        entry: dict[str, Any] = from_json(record.value or b"")
        if entry["type"] != JOURNALED:
            return []
        hub, position, now, facts = entry["hub"], entry["position"], entry["now"], entry["facts"]
        key, source = hub.encode(), f"/hub/{hub}"
        head = b'{"type":"%b","hub":"%b","position":%d,"index":' % (PUBLISHED.encode(), key, position)
        instant = now.encode()
        ids = identity.message_ids(len(facts), "fact", self.log_id, position)
        outgoing = []
        for index, (staged, message_id) in enumerate(zip(facts, ids, strict=True)):
            stage, fact = staged["stage"], staged["fact"]
            value = b'%b%d,"stage":"%b","now":"%b","fact":%b}' % (head, index, stage.encode(), instant, to_json(fact))
            attributes = wire.Attributes(message_id, source, PUBLISHED, now, fact.get("incident_id"))
            topic = self.topics.stage(stage)
            outgoing.append(Outgoing(topic, self.partition, key, value, wire.headers(attributes)))
        return outgoing
