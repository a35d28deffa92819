"""How far inbox and ingress have come, on the Log port.

Not every inbox record stands in the journal: one that changes nothing leaves no trace there. So what is behind is not
told from offsets: the records after the last journaled one are decided here once more, and those that would change
something count. Nothing of that is written anywhere.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from linkage import engine
from linkage.console.rows import InboxGauge, IngressGauge
from linkage.engine import Partition
from linkage.events.base import instant
from linkage.events.reference import Party
from linkage.runtime.letters import read_letter
from linkage.runtime.ports import Log, Reader, Record, TopicPartition
from linkage.topics import Topics

TAIL_LIMIT_RECORDS = 200
"""So many undecided records are looked at; of more it is only said that there are more."""
READ_WAIT_MS = 50


@dataclass(slots=True)
class InboxTail:
    """The inbox after the last journaled record. Call `read`, then fold the journal to its end, then `gauge`."""

    log: Log
    inbox: TopicPartition
    log_id: str
    reader: Reader | None = None
    records: deque[Record] = field(default_factory=deque)
    unread: int = 0

    async def read(self, journaled: int) -> None:
        """Reads what stands in the inbox after offset `journaled`, to the end as of now. Raises LogError."""
        while self.records and self.records[0].offset <= journaled:
            self.records.popleft()
        reader = await self._reader_after(journaled)
        end = (await self.log.end_offsets([self.inbox]))[self.inbox]
        while await reader.position(self.inbox) < end and len(self.records) < TAIL_LIMIT_RECORDS:
            self.records.extend(await reader.read(TAIL_LIMIT_RECORDS, READ_WAIT_MS))
        self.unread = max(0, end - await reader.position(self.inbox))

    async def _reader_after(self, journaled: int) -> Reader:
        if self.reader is None:
            beginning = (await self.log.beginning_offsets([self.inbox]))[self.inbox]
            self.reader = await self.log.reader({self.inbox: max(beginning, journaled + 1)})
        elif await self.reader.position(self.inbox) <= journaled:
            await self.reader.seek(self.inbox, journaled + 1)
        return self.reader

    def gauge(self, state: Partition, now_ms: int) -> InboxGauge:
        """Raises ForeignLog when inbox and journal do not belong together."""
        waiting: list[Record] = []
        for record in list(self.records):
            if record.offset <= state.position:
                continue
            letter, _ = read_letter(record, self.log_id)
            step = engine.step(state.hub(letter.hub), letter, instant(record.timestamp_ms))
            if step.facts:
                waiting.append(record)
                state = Partition(state.hubs.set(step.hub.code, step.hub), record.offset)
            elif not waiting:
                self.records.remove(record)
        oldest_s = max(0, now_ms - waiting[0].timestamp_ms) // 1000 if waiting else 0
        return InboxGauge(len(waiting) + self.unread, self.unread > 0, oldest_s)

    async def close(self) -> None:
        reader, self.reader = self.reader, None
        self.records.clear()
        if reader is not None:
            await reader.close()


def source_topics(topics: Topics, parties: Iterable[Party]) -> list[str]:
    """Every topic that registered parties write."""
    named: set[str] = set()
    for party in parties:
        named.add(topics.report(party.id) if party.kind == "source" else topics.reply(party.id))
        if party.hub is not None:
            named.add(topics.command(party.id))
    return sorted(named)


async def ingress_gauge(log: Log, topics: Topics, sources: Iterable[str]) -> IngressGauge:
    """Ends of the source topics against what the ingress group has committed. Raises LogError.

    Topics that do not exist have nothing to bring. A source nobody has read from yet counts from its beginning.
    """
    partitions = [TopicPartition(name, number) for name in sources for number in range(await log.partitions(name))]
    if not partitions:
        return IngressGauge(0, ())
    committed = await log.committed(topics.ingress_group, partitions)
    beginnings = await log.beginning_offsets(partitions)
    ends = await log.end_offsets(partitions)
    behind: dict[str, int] = {}
    for at in partitions:
        done = committed[at]
        missing = ends[at] - (beginnings[at] if done is None else done)
        if missing > 0:
            behind[at.topic] = behind.get(at.topic, 0) + missing
    return IngressGauge(sum(behind.values()), tuple(sorted(behind.items())))
