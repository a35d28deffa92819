"""Parties that outlast any fault: what could not be sent is sent again, what could not be read is read later."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from linkage.errors import LogError
from linkage.runtime.ports import Outgoing, Reader, Record, TopicPartition
from linkage.worker.kafka_log import KafkaLog

RETRY_PAUSE_S = 0.3
LOOK_FOR_MISSING_S = 2.0


class LastingLog:
    """A Kafka log whose `append` ends only when everything is acknowledged, and whose readers never raise.

    Appended anew, a record may stand there twice: that is what parties may do.
    """

    def __init__(self, log: KafkaLog) -> None:
        self._log = log

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)

    async def append(self, records: Sequence[Outgoing]) -> None:
        while True:
            try:
                await self._log.append(records)
            except LogError:
                await asyncio.sleep(RETRY_PAUSE_S)
                continue
            return

    async def reader(self, positions: Mapping[TopicPartition, int]) -> "LastingReader":
        return LastingReader(self._log, positions)


class LastingReader:
    """Reads on where it was, after whatever happened; a topic that was made again it reads from its beginning."""

    def __init__(self, log: KafkaLog, positions: Mapping[TopicPartition, int]) -> None:
        self._log = log
        self._positions = dict(positions)
        self._reader: Reader | None = None
        self._missing: set[TopicPartition] = set()
        self._look_again_at = 0.0

    async def read(self, max_records: int, wait_ms: int) -> Sequence[Record]:
        try:
            if self._reader is None or self._looks_again():
                await self._open()
            assert self._reader is not None
            records = await self._reader.read(max_records, wait_ms)
        except LogError:
            await self.close()
            await asyncio.sleep(RETRY_PAUSE_S)
            return []
        for record in records:
            self._positions[TopicPartition(record.topic, record.partition)] = record.offset + 1
        return records

    async def position(self, at: TopicPartition) -> int:
        """Past markers, too, while it reads."""
        try:
            return await self._reader.position(at) if self._reader is not None else self._positions[at]
        except LogError:
            return self._positions[at]

    async def seek(self, at: TopicPartition, offset: int) -> None:
        raise NotImplementedError("nobody here seeks")

    async def close(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            await reader.close()

    def _looks_again(self) -> bool:
        return bool(self._missing) and asyncio.get_running_loop().time() > self._look_again_at

    async def _open(self) -> None:
        await self.close()
        topics = sorted({at.topic for at in self._positions})
        there = {topic: await self._log._topics.partitions(topic, fresh=True) for topic in topics}
        found = [at for at in self._positions if at.partition < there[at.topic]]
        self._missing = self._positions.keys() - set(found)
        self._look_again_at = asyncio.get_running_loop().time() + LOOK_FOR_MISSING_S
        ends = await self._log.end_offsets(found)
        for at in found:
            if self._positions[at] > ends[at]:
                self._positions[at] = 0
        self._reader = await self._log.reader({at: self._positions[at] for at in found})
