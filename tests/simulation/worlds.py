"""A broker in memory with some topics, and what cases about it share."""

from collections.abc import Sequence
from typing import Any

from linkage.runtime.ports import Log, Outgoing, Record, TopicPartition
from linkage.simulation.memory_broker import BrokerSettings, MemoryBroker
from linkage.simulation.memory_log import MemoryLog
from linkage.simulation.virtual_time import VirtualProcess, VirtualTime

SPEED = BrokerSettings(latency_ms=(0, 0))
JOURNAL = TopicPartition("journal", 0)
ORDERS = TopicPartition("orders", 0)


class World:
    """`log` is that of a process nothing happens to."""

    def __init__(self, seed: int = 1, settings: BrokerSettings | None = None, *, shuffled: bool = False) -> None:
        self.time = VirtualTime(seed, shuffled=shuffled)
        self.broker = MemoryBroker(self.time, seed, settings)
        self.broker.create_topic("journal", 4)
        self.broker.create_topic("orders", 1)
        self.faults = self.broker.faults
        self.log: Log = MemoryLog(self.broker, self.time.process("steady"))

    def worker(self, name: str = "worker") -> tuple[VirtualProcess, Log]:
        process = self.time.process(name)
        return process, MemoryLog(self.broker, process)

    def run(self, case: Any) -> Any:
        return self.time.run_until(case)

    def seen(self, topic: str) -> list[str]:
        return values(self.broker.committed_records(topic))


def outgoing(at: TopicPartition, *contents: str) -> list[Outgoing]:
    return [Outgoing(at.topic, at.partition, b"key", content.encode()) for content in contents]


def values(records: Sequence[Record]) -> list[str]:
    return [(record.value or b"").decode() for record in records]
