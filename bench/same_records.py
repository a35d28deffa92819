"""The worker's own records through the worker's own clients, with nothing decided: what the overhead can't go below.

What the worker has just written for so many events is read back, byte for byte. Then the same three hops as in the
worker, source to inbox, inbox to journal in transactions, journal to the stages' topics, write those bytes again; no
record is looked into. What is left of the worker's figure is deciding, reading and encoding.
"""

import asyncio
import json
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from typing import get_args

from bench.measuring import Measured
from linkage.events.envelope import StageName
from linkage.replay.cluster import records_between
from linkage.runtime.ports import GroupReader, Outgoing, Reader, Record, TopicPartition
from linkage.runtime.progress import LoopLimits
from linkage.topics import Topics
from linkage.worker.kafka_log import KafkaLog

LIMITS = LoopLimits()


class SameRecords:
    """What one hub partition holds of the last `events` events, to be written to other topics of one partition."""

    def __init__(self, log: KafkaLog, topics: Topics, partition: int, events: int) -> None:
        self.log, self.topics, self.partition, self.events = log, topics, partition, events
        self.inbox: list[Outgoing] = []
        self.steps: list[Outgoing] = []
        self.facts: list[list[Outgoing]] = []

    async def read(self, names: Sequence[str]) -> None:
        """Before anything is measured. `names`: source, inbox, journal and results of the copy."""
        _source, inbox, journal, results = names
        steps = (await self._all(self.topics.journal))[-self.events :]
        positions = [json.loads(step.value or b"")["position"] for step in steps]
        by_offset = {record.offset: record for record in await self._all(self.topics.inbox)}
        facts: defaultdict[int, list[Outgoing]] = defaultdict(list)
        for stage in get_args(StageName):
            for record in await self._all(self.topics.stage(stage)):
                facts[json.loads(record.value or b"")["position"]].append(_outgoing(results, record))
        self.inbox = [_outgoing(inbox, by_offset[position]) for position in positions]
        self.steps = [_outgoing(journal, step) for step in steps]
        self.facts = [facts[position] for position in positions]

    async def _all(self, topic: str) -> list[Record]:
        at = TopicPartition(topic, self.partition)
        ends = await self.log.end_offsets([at])
        return [record async for records in records_between(self.log, {at: 0}, ends) for record in records]

    async def copied(self, names: Sequence[str]) -> Measured:
        """All three hops at once, until the last fact is acknowledged."""
        source, inbox, journal, _results = names
        group = await self.log.group_reader(f"{source}.group", [source])
        writer = await self.log.initialise(f"{source}.writer")
        readers = [await self.log.reader({TopicPartition(topic, 0): 0}) for topic in (inbox, journal)]
        while not group.assigned():  # noqa: ASYNC110
            await asyncio.sleep(0.01)  # nobody is told of it
        started, cpu = time.perf_counter(), time.process_time()

        async def hop(reader: Reader | GroupReader, written: Callable[[int, int], Awaitable[None]]) -> None:
            done = 0
            while done < self.events:
                read = len(await reader.read(LIMITS.list_limit_records, LIMITS.read_wait_ms))
                if read:
                    await written(done, done + read)
                done += read

        async def admit(first: int, end: int) -> None:
            await self.log.append(self.inbox[first:end])
            await group.commit(await group.positions())

        async def decide(first: int, end: int) -> None:
            await writer.transact(self.steps[first:end])

        async def publish(first: int, end: int) -> None:
            at = TopicPartition(journal, 0)
            await self.log.append([fact for facts in self.facts[first:end] for fact in facts])
            await self.log.commit_for(f"{journal}.group", {at: await readers[1].position(at)})

        await asyncio.gather(hop(group, admit), hop(readers[0], decide), hop(readers[1], publish))
        measured = Measured("its records alone", self.events, time.perf_counter() - started, time.process_time() - cpu)
        for closing in (group, writer, *readers):
            await closing.close()
        return measured


def _outgoing(topic: str, record: Record) -> Outgoing:
    return Outgoing(topic, 0, record.key, record.value or b"", tuple(record.headers))
