"""A consumer group as its coordinator sees it: members, sessions, generations, committed positions.

Eager rebalancing: everyone gives up everything, then everyone alive gets a share. Heartbeats are not sent one by one:
a member is heard of as long as its process runs and reaches the broker, and its session ends a while after that stops.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from linkage.errors import LogError
from linkage.runtime.ports import TopicPartition
from linkage.simulation.tasks import Timer
from linkage.simulation.virtual_time import VirtualProcess

if TYPE_CHECKING:
    from linkage.simulation.memory_broker import MemoryBroker

NO_GENERATION = -1


class Member(Protocol):
    """The client's side. It is called only while its process runs and reaches the broker."""

    @property
    def process(self) -> VirtualProcess: ...

    def wanted(self) -> Sequence[TopicPartition]:
        """The partitions it subscribes to, as far as they exist."""
        ...

    def revoke(self) -> None: ...

    def assign(self, partitions: Sequence[TopicPartition], generation: int) -> None: ...


class Group:
    """Members by their names, in the order of their names: that order decides who gets what."""

    def __init__(self, broker: "MemoryBroker", name: str) -> None:
        self.name = name
        self.generation = 0
        self.members: dict[str, Member] = {}
        self.committed: dict[TopicPartition, int] = {}
        self.shift = 0
        """Rotates the shares: raised by whoever wants partitions to move."""
        self.pinned: dict[TopicPartition, str] = {}
        """Partitions that go to a named member as long as it is one."""
        self._broker = broker
        self._shares: dict[TopicPartition, str] = {}
        self._sessions: dict[str, Timer] = {}
        self._rejoins: dict[str, Timer] = {}
        self._clients: dict[str, Member] = {}
        self._abandoned: set[str] = set()
        self._rebalance: Timer | None = None
        self._count = 0

    def join(self, member: Member) -> str:
        """The member's name. Its share comes with the rebalance that this begins."""
        self._count += 1
        name = f"{member.process.name}-{self._count:06d}"
        self._clients[name] = self.members[name] = member
        member.process.watch(lambda: self._reconsider(name))
        self.rebalance()
        return name

    def leave(self, name: str) -> None:
        self._clients.pop(name, None)
        self._cancel(self._sessions, name)
        self._cancel(self._rejoins, name)
        if self.members.pop(name, None) is not None:
            self.rebalance()

    def abandon(self, name: str) -> None:
        """Its client is closed, and the broker could not be told: its session ends by itself."""
        if name not in self.members:
            self._clients.pop(name, None)
            self._cancel(self._rejoins, name)
            return
        self._abandoned.add(name)
        self._reconsider(name)

    def rebalance(self) -> None:
        """Begins one, unless one is under way."""
        if self._rebalance is not None or not self.members:
            return
        for name, member in sorted(self.members.items()):
            if not self._is_silent(name):
                member.revoke()
        self._rebalance = self._broker.time.call_later(self._rebalance_ms(), self._complete)

    def refresh(self) -> None:
        """Topics came or went: begins a rebalance if that concerns any member."""
        wanted = {at for _, member in sorted(self.members.items()) for at in member.wanted()}
        if wanted != set(self._shares):
            self.rebalance()

    def reconsider(self) -> None:
        """Looks again at who can be heard, after the broker or the way to it changed."""
        for name in sorted(self._clients):
            self._reconsider(name)

    def holders(self) -> list[tuple[TopicPartition, str]]:
        """Who was given what by the last rebalance and is a member still."""
        return [(at, name) for at, name in sorted(self._shares.items()) if name in self.members]

    def check(self, name: str, generation: int) -> None:
        """Raises LogError when this member of this generation is no member any more."""
        if name not in self.members or generation != self.generation:
            raise LogError(f"{self.name}: {name} of generation {generation} lost its membership ({self.generation})")

    def commit(self, next_offsets: Mapping[TopicPartition, int], name: str | None, generation: int) -> None:
        """For a member, or for nobody (`name` None) while the group has no members. Raises LogError."""
        if name is not None:
            self.check(name, generation)
        elif self.members:
            raise LogError(f"{self.name} has members; only they commit")
        for at in next_offsets:
            self._broker.partition(at)
        self.committed.update(next_offsets)

    def _rebalance_ms(self) -> int:
        return 0 if self._broker.instant else self._broker.settings.rebalance_ms + self._broker.latency_ms()

    def _is_silent(self, name: str) -> bool:
        process = self._clients[name].process
        is_gone = name in self._abandoned or not process.alive or process.paused
        return is_gone or self._broker.unreachable_ms(process) > 0

    def _reconsider(self, name: str) -> None:
        if name not in self._clients:
            return
        silent = self._is_silent(name)
        if name not in self.members:
            if not silent and name not in self._rejoins:
                self._rejoins[name] = self._broker.time.call_later(self._notice_ms(), lambda: self._rejoin(name))
        elif silent and not self._broker.down_ms():
            if name not in self._sessions:
                span_ms = self._broker.settings.session_timeout_ms
                self._sessions[name] = self._broker.time.call_later(span_ms, lambda: self._expire(name))
        else:
            self._cancel(self._sessions, name)

    def _notice_ms(self) -> int:
        """Until a member that was away hears of it: at its next heartbeat."""
        return 1 + int(self._broker.chance() * self._broker.settings.heartbeat_ms)

    def _expire(self, name: str) -> None:
        self._sessions.pop(name, None)
        self._broker.faults.struck("session_expired")
        member = self.members.pop(name)
        if not member.process.alive or name in self._abandoned:
            del self._clients[name]
            self._abandoned.discard(name)
        if self._rebalance is None:
            self.rebalance()

    def _rejoin(self, name: str) -> None:
        del self._rejoins[name]
        if self._is_silent(name):
            return
        member = self._clients[name]
        member.revoke()
        self.members[name] = member
        self.rebalance()

    def _complete(self) -> None:
        """Waits for members that can't be heard until they can or their sessions end, then hands out shares."""
        self._rebalance = None
        if not self.members:
            return
        if any(self._is_silent(name) for name in sorted(self.members)) or self._broker.down_ms():
            wait_ms = max(1, self._broker.down_ms(), self._broker.settings.heartbeat_ms // 4)
            self._rebalance = self._broker.time.call_later(wait_ms, self._complete)
            return
        self.generation += 1
        self._shares = self._share()
        for name, member in sorted(self.members.items()):
            member.assign([at for at, owner in sorted(self._shares.items()) if owner == name], self.generation)

    def _share(self) -> dict[TopicPartition, str]:
        names = sorted(self.members)
        wanted = {name: frozenset(self.members[name].wanted()) for name in names}
        before = {at: name for at, name in self._shares.items() if name in wanted}
        if self.shift:
            before = {at: names[(names.index(name) + self.shift) % len(names)] for at, name in before.items()}
            self.shift = 0
        return share(names, wanted, before, self.pinned)

    @staticmethod
    def _cancel(timers: dict[str, Timer], name: str) -> None:
        timer = timers.pop(name, None)
        if timer is not None:
            timer.cancel()


def share(
    names: Sequence[str],
    wanted: Mapping[str, frozenset[TopicPartition]],
    before: Mapping[TopicPartition, str],
    pinned: Mapping[TopicPartition, str],
) -> dict[TopicPartition, str]:
    """Who gets what: the pinned first, then who had it keeps it, the rest goes where least is; even to within one."""
    held: dict[str, list[TopicPartition]] = {name: [] for name in names}
    homeless: list[TopicPartition] = []
    for at in sorted(frozenset[TopicPartition]().union(*wanted.values())):
        owner = pinned.get(at, before.get(at, ""))
        if at in wanted.get(owner, ()):
            held[owner].append(at)
        else:
            homeless.append(at)
    for at in homeless:
        owner = min((name for name in names if at in wanted[name]), key=lambda name: len(held[name]))
        held[owner].append(at)
    while True:
        fullest = max(names, key=lambda name: len(held[name]))
        emptiest = min(names, key=lambda name: len(held[name]))
        movable = [at for at in held[fullest] if at in wanted[emptiest] and pinned.get(at) != fullest]
        if len(held[fullest]) - len(held[emptiest]) < 2 or not movable:
            return {at: name for name in names for at in held[name]}
        held[fullest].remove(movable[-1])
        held[emptiest].append(movable[-1])
