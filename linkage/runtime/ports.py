"""The two ports on which the loops stand: `Log`, what they need of Kafka, and `Time`, what they need of a scheduler.

`worker/kafka_log.py` and `worker/asyncio_time.py` implement them for real, `simulation/` in memory on virtual time; one
contract suite (`tests/contract/`) holds both to the same behaviour. Nothing here knows asyncio, aiokafka or faust.
"""

from collections.abc import Awaitable, Coroutine, Mapping, Sequence
from typing import Any, NamedTuple, Protocol


class TopicPartition(NamedTuple):
    topic: str
    partition: int


class Record(NamedTuple):
    """One record as the broker holds it. `timestamp_ms` is the broker's append time on our topics."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


class Outgoing(NamedTuple):
    """One record to write. Our own topics are always written to a stated partition."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes
    headers: tuple[tuple[str, bytes], ...] = ()


class Reader(Protocol):
    """Reads partitions it was given, committed records only, by position. Positions move only by `read` and `seek`."""

    async def read(self, max_records: int, wait_ms: int) -> Sequence[Record]:
        """Up to `max_records`, in order in each partition; empty after `wait_ms` without any.

        Raises LogError when a position is out of range or the topic is gone.
        """
        ...

    async def seek(self, at: TopicPartition, offset: int) -> None: ...

    async def position(self, at: TopicPartition) -> int:
        """The offset that will be read next: past markers, so not always last record + 1."""
        ...

    async def close(self) -> None: ...


class GroupReader(Protocol):
    """A member of a consumer group over every topic whose name matches; partitions come and go by rebalance."""

    async def read(self, max_records: int, wait_ms: int) -> Sequence[Record]: ...

    async def commit(self, next_offsets: Mapping[TopicPartition, int]) -> None:
        """Commits positions (the next offset to read). A lost membership raises LogError; the records come again."""
        ...

    def gaps(self) -> Sequence[tuple[TopicPartition, int, int]]:
        """Since the last call: (partition, wanted, went on at) where a committed position was out of range."""
        ...

    async def positions(self) -> dict[TopicPartition, int]:
        """Behind everything that `read` has handed out, markers too, for each partition that is assigned now."""
        ...

    def assigned(self) -> Sequence[TopicPartition]: ...

    def denied(self) -> Sequence[str]:
        """The assigned topics that it is not allowed to read, as far as it has found out."""
        ...

    async def close(self) -> None: ...


class Writer(Protocol):
    """A transactional writer: its epoch is the newest of its id until somebody initialises after it."""

    async def transact(self, records: Sequence[Outgoing]) -> None:
        """Writes all records or none. Returns only when that is committed.

        Raises Fenced or NotWritten when certainly nothing was written, OutcomeUnknown when it may have been. After any
        of them the writer is closed and must not be used again.
        """
        ...

    async def close(self) -> None: ...


class Log(Protocol):
    """What the loops need of Kafka."""

    async def initialise(self, transactional_id: str) -> Writer:
        """Fences whoever held the id and settles his open transaction, then returns a writer with the newest epoch."""
        ...

    async def reader(self, positions: Mapping[TopicPartition, int]) -> Reader:
        """A committed reader of these partitions, starting at these offsets."""
        ...

    async def group_reader(self, group: str, topic_prefixes: Sequence[str]) -> GroupReader: ...

    async def append(self, records: Sequence[Outgoing]) -> None:
        """Idempotent, acknowledged by all in-sync replicas. Raises LogError: then some may be written."""
        ...

    async def beginning_offsets(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]: ...

    async def end_offsets(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        """Last stable offsets: where a committed reader comes to an end now."""
        ...

    async def partitions(self, topic: str) -> int:
        """How many partitions a topic has, 0 when it does not exist or is denied. Looked up, not waited for."""
        ...

    async def committed(self, group: str, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int | None]:
        """A group's committed positions; None where it has none."""
        ...

    async def commit_for(self, group: str, next_offsets: Mapping[TopicPartition, int]) -> None:
        """Commits positions for a group without members (the stage publisher's)."""
        ...

    async def close(self) -> None: ...


class Task(Protocol):
    """Something spawned. `cancel` ends it at its next wait; `wait` returns when it has ended, raises what it raised."""

    def cancel(self) -> None: ...

    def done(self) -> bool: ...

    async def wait(self) -> None: ...


class Time(Protocol):
    """What the loops need of a scheduler. One running thing at a time; only an await lets another one run."""

    def now_ms(self) -> int:
        """Wall clock, milliseconds since 1970. For due times only: what counts in a decision is the append time."""
        ...

    def monotonic_ms(self) -> int:
        """Never steps back; for time limits and measures."""
        ...

    async def sleep(self, span_ms: int) -> None: ...

    async def within(self, span_ms: int, awaitable: Awaitable[Any]) -> Any:
        """The awaitable's result, or TimeoutError after the span; the awaitable is cancelled then."""
        ...

    def spawn(self, coroutine: Coroutine[Any, Any, None], name: str) -> Task: ...

    def jitter(self) -> float:
        """A number in [0, 1) for spreading retries. Seeded in the simulation."""
        ...
