"""When the log did not answer this worker: measured, kept, and given back to whoever had until a certain instant.

Whoever was to answer could not do so meanwhile. So an outage makes nobody overdue: a deadline lasts as much longer as
the log stood still between its setting and its end. A worker knows what it lived through; one that is started after an
outage does not.
"""

from collections import deque
from dataclasses import dataclass, field

import structlog

from linkage.runtime.ports import Time

_LOG = structlog.get_logger("linkage.worker")

UNANSWERED_LIMIT_MS = 2_000
"""A question open for longer means that the log stands still, until it is answered."""
SPANS_LIMIT_COUNT = 200


@dataclass(slots=True)
class Outages:
    """What one worker lived through, one span for each partition that stood still: of an outage of the whole log there
    are as many as it has partitions. Instants are wall clock milliseconds; the oldest are forgotten.
    """

    spans: deque[tuple[int, int]] = field(default_factory=lambda: deque(maxlen=SPANS_LIMIT_COUNT))

    def extended(self, from_ms: int, to_ms: int) -> int:
        """When as much time will have passed without outage as lies between the two; an instant counts once."""
        counted_ms = from_ms
        for began_ms, over_ms in sorted(self.spans):
            if began_ms < to_ms and counted_ms < over_ms:
                to_ms += over_ms - max(began_ms, counted_ms)
                counted_ms = over_ms
        return to_ms


@dataclass(slots=True)
class Standstill:
    """Whether the log answers for one hub partition: told of every question and how it went."""

    time: Time
    outages: Outages
    partition: int
    heard_at_ms: int = 0
    """The last answer; monotonic, like all instants here."""
    asked_at_ms: int | None = None
    is_missed: bool = False

    def __post_init__(self) -> None:
        self.heard_at_ms = self.time.monotonic_ms()

    @property
    def is_open(self) -> bool:
        """It stands still now, as far as is known."""
        return self.is_missed or self._waits_long()

    def _waits_long(self) -> bool:
        return self.asked_at_ms is not None and self.time.monotonic_ms() - self.asked_at_ms > UNANSWERED_LIMIT_MS

    def asked(self) -> None:
        if self.asked_at_ms is None:
            self.asked_at_ms = self.time.monotonic_ms()

    def missed(self) -> None:
        """No answer, or an error."""
        self.is_missed = True

    def heard(self) -> None:
        """An answer: what stood still since the last one is over."""
        self.remember()
        self.heard_at_ms, self.asked_at_ms, self.is_missed = self.time.monotonic_ms(), None, False

    def remember(self) -> None:
        """What stood still until now is known to all partitions of this worker, also when this one is given back."""
        if not self.is_open:
            return
        for_ms, over_ms = self.time.monotonic_ms() - self.heard_at_ms, self.time.now_ms()
        self.outages.spans.append((over_ms - for_ms, over_ms))
        _LOG.warning("stood_still", partition=self.partition, for_ms=for_ms)
