"""How far a loop has come, for health and metrics: facts about work, never about being alive."""

from dataclasses import dataclass, field
from typing import Literal

from linkage.runtime.ports import Time

Phase = Literal["waiting", "taking_over", "serving", "fenced", "refused", "stopped"]


@dataclass(slots=True)
class Progress:
    """One partition of one loop. Offsets are the next to be done and the end; instants are monotonic milliseconds.

    A loop stalls in two ways: it has work and makes none of it, or it does not even come round (`turned_at_ms`).
    """

    name: str
    phase: Phase = "waiting"
    next_offset: int = 0
    end_offset: int = 0
    turned_at_ms: int | None = None
    """When it last came round, in the future while it rests on purpose; None while it does not run."""
    restarted_at_ms: int | None = None
    behind_since_ms: int | None = None
    detail: str = ""
    done: int = 0
    fenced: int = 0
    taken_over: int = 0
    folded_records: int = 0

    def moved(self, next_offset: int, now_ms: int) -> None:
        """It came round, and stands here now: having read nothing is no progress while there is something."""
        self.turned_at_ms = now_ms
        if next_offset >= self.end_offset:
            self.behind_since_ms = None
        elif next_offset != self.next_offset:
            self.behind_since_ms = now_ms
        self.next_offset = next_offset

    def prepared(self, now_ms: int) -> None:
        """It works towards being able to go on, as by folding a journal: that takes as long as it takes."""
        self.turned_at_ms = now_ms
        if self.behind_since_ms is not None:
            self.behind_since_ms = now_ms

    def ended(self) -> None:
        self.turned_at_ms = None

    def restarted(self, now_ms: int) -> None:
        self.restarted_at_ms, self.turned_at_ms = now_ms, now_ms
        if self.behind_since_ms is not None:
            self.behind_since_ms = now_ms

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

    def hangs(self, now_ms: int, limit_ms: int) -> bool:
        """It has not come round for longer than the limit."""
        return self.turned_at_ms is not None and now_ms - self.turned_at_ms > limit_ms

    def is_stalled(self, now_ms: int, limit_ms: int) -> bool:
        """It has had work for longer than the limit and has made none of it, or it hangs."""
        is_behind = self.behind_since_ms is not None and now_ms - self.behind_since_ms > limit_ms
        return is_behind or self.hangs(now_ms, limit_ms)

    def is_told_as_stalled(self, now_ms: int, limit_ms: int, told_ms: int) -> bool:
        """Stalled, or begun anew so shortly ago that whoever asks seldom has not seen it yet."""
        told = self.restarted_at_ms is not None and now_ms - self.restarted_at_ms <= told_ms
        return told or self.is_stalled(now_ms, limit_ms)


async def rest(time: Time, progress: Progress, span_ms: int) -> None:
    """Sleeps. Who rests on purpose does not hang."""
    progress.turned_at_ms = time.monotonic_ms() + span_ms
    await time.sleep(span_ms)


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
    stall_told_ms: int = 10_000
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
