"""The contract's world in memory: the simulation's log, on virtual time, with the latencies of a quick broker.

Markers are written at once here: the cases look for what was committed right after `transact` returned, which on Kafka
comes true a little later. What late markers do is in `tests/simulation`.
"""

from collections.abc import Sequence

from linkage.errors import Fenced
from linkage.runtime.ports import Log, Outgoing, Time, TopicPartition
from linkage.simulation.memory_broker import BrokerSettings, MemoryBroker
from linkage.simulation.memory_faults import ANSWER_LOST, LOST
from linkage.simulation.memory_log import MemoryLog
from linkage.simulation.virtual_time import VirtualTime


class MemoryTransaction:
    """Written by the broker's own requests: no writer of ours takes part."""

    def __init__(self, broker: MemoryBroker, transactional_id: str, epoch: int) -> None:
        self._broker = broker
        self._id = transactional_id
        self._epoch = epoch

    async def commit(self) -> None:
        self._broker.end(self._id, self._epoch, committed=True)

    async def abort(self) -> None:
        self._broker.end(self._id, self._epoch, committed=False)


class MemoryClusters:
    """What a contract case may arrange, for `worlds.LogWorld`."""

    def __init__(self, seed: int) -> None:
        self.virtual = VirtualTime(seed, shuffled=True)
        self.time: Time = self.virtual
        self._broker = MemoryBroker(self.virtual, seed, BrokerSettings(marker_latency_ms=(0, 0)))
        self._count = 0
        self.log: Log = self._log()

    async def topic(self, partitions: int = 1, message_limit_bytes: int = 1_048_576) -> str:
        name = f"{self.prefix()}topic-{len(self._broker.topics) + 1}"
        self._broker.create_topic(name, partitions, message_limit_bytes)
        return name

    async def delete_topic(self, topic: str) -> None:
        self._broker.delete_topic(topic)

    async def delete_records(self, at: TopicPartition, before_offset: int) -> None:
        self._broker.delete_records(at, before_offset)

    async def another_log(self) -> Log:
        return self._log()

    async def log_without_answers(self, *, committed: bool) -> Log:
        log = self._log()
        fate = ANSWER_LOST if committed else LOST
        self._broker.faults.inject("end", fate, process=self._name())
        return log

    async def open_transaction(self, transactional_id: str, records: Sequence[Outgoing]) -> MemoryTransaction:
        epoch = self._broker.initialise(transactional_id)
        if epoch is None:
            raise Fenced(f"{transactional_id} is still being settled")
        for record in records:
            at = TopicPartition(record.topic, record.partition)
            assert self._broker.produce(transactional_id, epoch, at, [record])
        return MemoryTransaction(self._broker, transactional_id, epoch)

    def prefix(self) -> str:
        return "contract."

    def _log(self) -> MemoryLog:
        self._count += 1
        return MemoryLog(self._broker, self.virtual.process(self._name()))

    def _name(self) -> str:
        return f"process-{self._count}"
