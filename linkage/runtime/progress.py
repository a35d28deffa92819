"""How far a loop has come, for health and metrics: facts about work, never about being alive."""

from dataclasses import dataclass, field
from typing import Literal

Phase = Literal["waiting", "taking_over", "serving", "fenced", "refused", "stopped"]


@dataclass(slots=True)
class Progress:
    """One partition of one loop. Offsets are the next to be done and the end; instants are monotonic milliseconds."""

    name: str
    phase: Phase = "waiting"
    next_offset: int = 0
    end_offset: int = 0
    moved_at_ms: int = 0
    behind_since_ms: int | None = None
    detail: str = ""
    done: int = 0
    fenced: int = 0
    taken_over: int = 0
    folded_records: int = 0

    def moved(self, next_offset: int, now_ms: int) -> None:
        self.next_offset = next_offset
        self.moved_at_ms = now_ms
        self.behind_since_ms = None if next_offset >= self.end_offset else now_ms

    def saw_end(self, end_offset: int, now_ms: int) -> None:
        self.end_offset = max(end_offset, self.next_offset)
        if self.next_offset >= self.end_offset:
            self.behind_since_ms = None
        elif self.behind_since_ms is None:
            self.behind_since_ms = now_ms

    def counted(self, other: "Progress") -> None:
        """Adds what another loop of the same name has done."""
        self.done += other.done
        self.fenced += other.fenced
        self.taken_over += other.taken_over

    def is_stalled(self, now_ms: int, limit_ms: int) -> bool:
        """It has had work for longer than the limit and has made none of it."""
        return self.behind_since_ms is not None and now_ms - self.behind_since_ms > limit_ms


@dataclass(frozen=True, slots=True)
class LoopLimits:
    """Limits of the loops; each says in its unit what it bounds. What happens at each is told where it is used."""

    list_limit_records: int = 500
    list_limit_bytes: int = 4_000_000
    read_wait_ms: int = 100
    fold_yield_records: int = 200
    retry_first_ms: int = 200
    retry_limit_ms: int = 5_000
    fenced_wait_ms: int = 1_500
    fenced_limit_count: int = 3
    take_over_limit_ms: int = 600_000
    clock_tick_ms: int = 200
    due_repeat_ms: int = 5_000
    answer_wait_limit_ms: int = 60_000
    stall_limit_ms: int = 30_000
    drain_limit_ms: int = 5_000


@dataclass(slots=True)
class Backoff:
    """Waits that grow, with jitter, until something succeeds."""

    first_ms: int
    limit_ms: int
    failures: int = field(default=0)

    def next_ms(self, jitter: float) -> int:
        self.failures += 1
        span = min(self.limit_ms, self.first_ms * 2 ** min(self.failures - 1, 10))
        return int(span * (0.5 + jitter))

    def succeeded(self) -> None:
        self.failures = 0
