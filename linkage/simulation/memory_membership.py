"""Plays the part of Faust's membership: which worker holds which lease partition.

A worker that is killed, stopped or cut off loses its leases when its session ends; one that was only stopped believes
in them until it runs again and hears of it.
"""

from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from linkage.runtime.ports import TopicPartition
from linkage.simulation.memory_broker import MemoryBroker
from linkage.simulation.memory_group import Group
from linkage.simulation.virtual_time import VirtualProcess

LeaseCallback = Callable[[Sequence[int]], Coroutine[Any, Any, None]]
"""Gets partition numbers, sorted. Awaited in the worker's own process, one callback at a time, in order."""


class LeaseMember:
    """One worker's membership. Eager, as Faust's: every rebalance revokes all, then assigns all."""

    def __init__(
        self,
        membership: "MemoryMembership",
        process: VirtualProcess,
        on_assigned: LeaseCallback,
        on_revoked: LeaseCallback,
    ) -> None:
        self._membership = membership
        self._process = process
        self._on_assigned = on_assigned
        self._on_revoked = on_revoked
        self._believed: list[int] = []
        self._told: deque[tuple[LeaseCallback, list[int]]] = deque()
        self._telling = False
        self.generation = -1

    @property
    def process(self) -> VirtualProcess:
        return self._process

    def assigned(self) -> Sequence[int]:
        """What this worker believes."""
        return tuple(self._believed)

    async def leave(self) -> None:
        """Orderly, as at SIGTERM: the others get its leases at once."""
        await self._process.sleep(self._membership.broker.latency_ms())
        self._membership.leave(self)
        self.revoke()

    def wanted(self) -> Sequence[TopicPartition]:
        return self._membership.leases()

    def revoke(self) -> None:
        if self._believed:
            self._tell(self._on_revoked, self._believed)
            self._believed = []

    def assign(self, partitions: Sequence[TopicPartition], generation: int) -> None:
        self.revoke()
        self.generation = generation
        self._believed = sorted(at.partition for at in partitions)
        self._tell(self._on_assigned, self._believed)

    def _tell(self, callback: LeaseCallback, partitions: Sequence[int]) -> None:
        self._told.append((callback, list(partitions)))
        if not self._telling:
            self._telling = True
            self._process.spawn(self._tell_all(), "membership")

    async def _tell_all(self) -> None:
        try:
            while self._told:
                callback, partitions = self._told.popleft()
                await callback(partitions)
        finally:
            self._telling = False


class MemoryMembership:
    """The group of all workers over the lease topic, which must exist."""

    def __init__(self, broker: MemoryBroker, lease_topic: str, group: str) -> None:
        self.broker = broker
        self._topic = lease_topic
        self._group: Group = broker.group(group)
        self._names: dict[LeaseMember, str] = {}

    def join(self, process: VirtualProcess, on_assigned: LeaseCallback, on_revoked: LeaseCallback) -> LeaseMember:
        member = LeaseMember(self, process, on_assigned, on_revoked)
        self._names[member] = self._group.join(member)
        return member

    def leave(self, member: LeaseMember) -> None:
        self._group.leave(self._names.pop(member))

    def leases(self) -> list[TopicPartition]:
        return [TopicPartition(self._topic, each.number) for each in self.broker.topics[self._topic].partitions]

    def holders(self) -> dict[int, str]:
        """Partition -> process name, as the coordinator sees it: a dead one holds on until its session ends."""
        return {at.partition: self._group.members[name].process.name for at, name in self._group.holders()}

    def move(self, partition: int, to: VirtualProcess | None = None) -> bool:
        """Gives a lease to another worker, the next one unless named. False when there is no other to give it to."""
        at = TopicPartition(self._topic, partition)
        holder = dict(self._group.holders()).get(at)
        others = [
            name
            for name, member in sorted(self._group.members.items())
            if name != holder and member.process.alive and to in (None, member.process)
        ]
        if holder is None or not others:
            return False
        self._group.pinned[at] = next((name for name in others if name > holder), others[0])
        self._group.rebalance()
        return True
