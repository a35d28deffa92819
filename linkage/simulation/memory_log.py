"""The port `Log` in memory, faithful to Apache Kafka in what the loops rely on. One for each simulated process.

Where what lives: `memory_partition` (offsets, markers, last stable offset), `memory_transaction` (epochs, fencing,
time-out), `memory_group` (membership), `memory_link` (the way to the broker, and what goes wrong on it).
"""

from collections.abc import Mapping, Sequence

from linkage.errors import LogError
from linkage.runtime.ports import Outgoing, TopicPartition
from linkage.simulation.memory_broker import MemoryBroker
from linkage.simulation.memory_link import Link
from linkage.simulation.memory_reader import MemoryGroupReader, MemoryReader
from linkage.simulation.memory_writer import MemoryWriter, by_partition
from linkage.simulation.virtual_time import VirtualProcess


class MemoryLog:
    """Implements `Log` for one process; after the process was killed every call raises Killed."""

    def __init__(self, broker: MemoryBroker, process: VirtualProcess) -> None:
        self._broker = broker
        self._link = Link(broker, process)

    async def initialise(self, transactional_id: str) -> MemoryWriter:
        link = self._link
        link.point("initialise.before")
        deadline_ms = link.process.monotonic_ms() + 2 * link.timeout_ms
        while True:
            epoch = await link.request("initialise", lambda: self._broker.initialise(transactional_id))
            if epoch is not None:
                link.point("initialise.after")
                return MemoryWriter(link, transactional_id, epoch)
            if link.process.monotonic_ms() > deadline_ms:
                raise LogError(f"{transactional_id}: the transaction before could not be settled")
            await link.process.sleep(self._broker.settings.retry_ms)

    async def reader(self, positions: Mapping[TopicPartition, int]) -> MemoryReader:
        """Raises LogError when a partition does not exist or is denied."""
        start = dict(positions)

        def open_reader() -> MemoryReader:
            for at in start:
                self._broker.require(at)
            return MemoryReader(self._link, start)

        return await self._link.call("reader", open_reader)

    async def group_reader(self, group: str, topic_prefixes: Sequence[str]) -> MemoryGroupReader:
        prefixes = tuple(topic_prefixes)
        return await self._link.call("group_reader", lambda: MemoryGroupReader(self._link, group, prefixes))

    async def append(self, records: Sequence[Outgoing]) -> None:
        """Partition after partition, the others also after one failed. Sent once: only the caller sends again.

        Points: append.before, .sent_first (one partition is written, the others not), .after.
        """
        link = self._link
        link.point("append.before")
        deadline_ms = link.process.monotonic_ms() + link.timeout_ms
        lists = by_partition(records)
        if not lists:
            await link.process.sleep(0)
        failures: list[LogError] = []
        for index, (at, items) in enumerate(lists.items()):
            try:
                await self._append_to(at, items, deadline_ms)
            except LogError as failure:
                failures.append(failure)
            if index == 0 and len(lists) > 1:
                link.point("append.sent_first")
        if failures:
            raise LogError(f"appending: {failures[0]}") from failures[0]
        link.point("append.after")

    async def _append_to(self, at: TopicPartition, items: list[Outgoing], deadline_ms: int) -> None:
        await self._link.request("append", lambda: self._broker.append(at, items), deadline_ms)

    async def beginning_offsets(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        return await self._link.call(
            "beginning_offsets",
            lambda: {at: self._broker.partition(at).begin for at in partitions},
            "offsets",
        )

    async def end_offsets(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        return await self._link.call(
            "end_offsets",
            lambda: {at: self._broker.partition(at).stable_end for at in partitions},
            "offsets",
        )

    async def partitions(self, topic: str) -> int:
        """0 when missing or denied; a topic without a leader still has its partitions."""

        def look_up() -> int:
            found = self._broker.topics.get(topic)
            return 0 if found is None or found.denied else len(found.partitions)

        return await self._link.call("partitions", look_up)

    async def committed(self, group: str, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int | None]:
        return await self._link.call(
            "committed", lambda: {at: self._broker.group(group).committed.get(at) for at in partitions}
        )

    async def commit_for(self, group: str, next_offsets: Mapping[TopicPartition, int]) -> None:
        offsets = dict(next_offsets)
        await self._link.call("commit_for", lambda: self._broker.group(group).commit(offsets, None, 0), "commit")

    async def close(self) -> None:
        self._link.closed = True
        await self._link.process.sleep(0)
