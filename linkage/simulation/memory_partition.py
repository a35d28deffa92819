"""One partition: offsets, control markers, the last stable offset, and what a committed reader may see of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from linkage.runtime.ports import Outgoing, Record

RECORD_OVERHEAD_BYTES = 70
"""About what Kafka's batch and record headers take of a topic's `max.message.bytes`."""


@dataclass(frozen=True, slots=True)
class Hidden:
    """An offset that no committed reader sees: a control marker, or a record of an aborted transaction."""

    kind: Literal["commit", "abort", "aborted"]
    record: Record | None = None


Entry = Record | Hidden


def size_bytes(item: Outgoing) -> int:
    size = RECORD_OVERHEAD_BYTES + len(item.value)
    if item.key is not None:
        size += len(item.key)
    for name, content in item.headers:
        size += len(name) + len(content)
    return size


class Watcher(Protocol):
    """Whoever reads a partition. `mark`: it changed; `set`: and there may be something to read."""

    def mark(self) -> None: ...

    def set(self) -> None: ...


class Partition:
    """`begin` is the log start offset, `end` the high watermark; both count markers, too."""

    __slots__ = ("_append_ms", "_base", "begin", "entries", "number", "open", "topic", "watchers")

    def __init__(self, topic: str, number: int) -> None:
        self.topic = topic
        self.number = number
        self.begin = 0
        self.entries: list[Entry] = []
        self.open: dict[str, int] = {}
        self.watchers: list[Watcher] = []
        self._base = 0
        self._append_ms = 0

    @property
    def end(self) -> int:
        return self._base + len(self.entries)

    @property
    def stable_end(self) -> int:
        """The last stable offset: the first record of the oldest open transaction, or the end."""
        return next(iter(self.open.values())) if self.open else self._base + len(self.entries)

    def append(self, items: Sequence[Outgoing], now_ms: int, transaction: str | None) -> list[int]:
        """The offsets given. Append time never steps back."""
        self._append_ms = now_ms = max(now_ms, self._append_ms)
        first = self.end
        if transaction is not None:
            self.open.setdefault(transaction, first)
        topic, number, entries = self.topic, self.number, self.entries
        offset = first
        for item in items:
            entries.append(Record(topic, number, offset, now_ms, item.key, item.value, item.headers))
            offset += 1
        if transaction is None:
            self._wake()
        return list(range(first, offset))

    def settle(self, transaction: str, offsets: Sequence[int], *, committed: bool) -> None:
        """Writes the transaction's marker; its records become visible, or hidden for good."""
        self.open.pop(transaction, None)
        if not committed:
            for offset in offsets:
                index = offset - self._base
                entry = self.entries[index] if index >= 0 else None
                if isinstance(entry, Record):
                    self.entries[index] = Hidden("aborted", entry)
        self.entries.append(Hidden("commit" if committed else "abort"))
        self._wake()

    def read(self, position: int, max_records: int) -> tuple[list[Record], int]:
        """(committed records from `position`, the position after them and after what is hidden behind them)."""
        found: list[Record] = []
        index = position - self._base
        stop = self.stable_end - self._base
        entries = self.entries
        while index < stop:
            entry = entries[index]
            if entry.__class__ is Record:
                if len(found) >= max_records:
                    break
                found.append(entry)
            index += 1
        return found, self._base + index

    def holds(self, position: int) -> bool:
        """Whether reading may go on there."""
        return self.begin <= position <= self._base + len(self.entries)

    def delete_before(self, offset: int) -> None:
        """Retention: the log starts at `offset` from now on, at most at the last stable offset."""
        self.begin = max(self.begin, min(offset, self.stable_end))
        del self.entries[: self.begin - self._base]
        self._base = self.begin
        self._wake()

    def _wake(self) -> None:
        for watcher in self.watchers:
            watcher.set()


class Topic:
    """A topic and what may be wrong with it. `denied`: we lack the rights; `unreachable`: it has no leader."""

    __slots__ = ("_denied", "message_limit_bytes", "name", "partitions", "unreachable")

    def __init__(self, name: str, partitions: int, message_limit_bytes: int) -> None:
        self.name = name
        self.partitions = [Partition(name, number) for number in range(partitions)]
        self.message_limit_bytes = message_limit_bytes
        self._denied = False
        self.unreachable = False

    @property
    def denied(self) -> bool:
        return self._denied

    @denied.setter
    def denied(self, denied: bool) -> None:
        self._denied = denied
        for partition in self.partitions:
            for watcher in partition.watchers:
                watcher.mark()
