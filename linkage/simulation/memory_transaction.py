"""A transactional id as its coordinator sees it: the newest epoch, the open transaction, and the markers to come."""

from typing import TYPE_CHECKING

from linkage.runtime.ports import TopicPartition
from linkage.simulation.tasks import Timer

if TYPE_CHECKING:
    from linkage.simulation.memory_broker import MemoryBroker

MARKER_RETRY_MS = 100


class Transaction:
    """At most one transaction at a time. `settling` counts partitions whose marker is decided but not yet written."""

    __slots__ = ("_broker", "_timer", "epoch", "name", "open", "settling", "touched")

    def __init__(self, broker: "MemoryBroker", name: str) -> None:
        self._broker = broker
        self._timer: Timer | None = None
        self.name = name
        self.epoch = -1
        self.open = False
        self.settling = 0
        self.touched: dict[TopicPartition, list[int]] = {}

    def initialise(self) -> int | None:
        """Fences the old epoch at once and aborts what it left open; the new epoch when that is settled, else None."""
        if self.open:
            self.epoch += 1
            self.end(committed=False)
        if self.settling:
            return None
        self.epoch += 1
        return self.epoch

    def add(self, at: TopicPartition, offsets: list[int]) -> None:
        if not self.open:
            self.open = True
            self._start_timer(self._broker.settings.transaction_timeout_ms)
        self.touched.setdefault(at, []).extend(offsets)

    def end(self, *, committed: bool) -> None:
        """Decides the open transaction, if there is one, and has the markers written."""
        if not self.open:
            return
        self.open = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        touched, self.touched = self.touched, {}
        self.settling = len(touched)
        for at, offsets in touched.items():
            span_ms = self._broker.marker_latency_ms()
            if span_ms:
                self._write_marker_later(span_ms, at, offsets, committed)
            else:
                self._write_marker(at, offsets, committed)

    def _start_timer(self, span_ms: int) -> None:
        self._timer = self._broker.time.call_later(span_ms, self._time_out)

    def _time_out(self) -> None:
        if self._broker.down_ms():
            self._start_timer(self._broker.down_ms())
            return
        self._timer = None
        self._broker.faults.struck("transaction_timed_out")
        self.epoch += 1
        self.end(committed=False)

    def _write_marker_later(self, span_ms: int, at: TopicPartition, offsets: list[int], committed: bool) -> None:
        self._broker.later(span_ms, lambda: self._write_marker(at, offsets, committed))

    def _write_marker(self, at: TopicPartition, offsets: list[int], committed: bool) -> None:
        topic = self._broker.topics.get(at.topic)
        if topic is not None and topic.unreachable:
            self._write_marker_later(MARKER_RETRY_MS, at, offsets, committed)
            return
        self.settling -= 1
        if topic is not None:
            topic.partitions[at.partition].settle(self.name, offsets, committed=committed)
