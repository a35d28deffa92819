"""Virtual time: what the loops may rely on, and how a run ends."""

import pytest

from linkage.simulation.virtual_time import Cancelled, Deadlocked, LimitReached, VirtualTime

HOUR_MS = 3_600_000


def test_an_hour_passes_as_soon_as_everyone_sleeps() -> None:
    """Sleepers wake in the order of their instants, and those of one instant in the order in which they lay down."""
    time = VirtualTime(1, start_ms=1_000)
    woke: list[tuple[str, int, int]] = []

    async def sleeper(name: str, span_ms: int) -> None:
        await time.sleep(span_ms)
        woke.append((name, time.monotonic_ms(), time.now_ms()))

    for name, span_ms in [("late", HOUR_MS), ("first", 5), ("second", 5), ("now", 0)]:
        time.spawn(sleeper(name, span_ms), name)
    time.run_until(lambda: len(woke) == 4)
    assert woke == [("now", 0, 1_000), ("first", 5, 1_005), ("second", 5, 1_005), ("late", HOUR_MS, HOUR_MS + 1_000)]


def test_run_for_passes_exactly_its_span() -> None:
    """A timer due at the very end still fires, one after it does not."""
    time = VirtualTime(1)
    fired: list[int] = []
    time.call_later(10, lambda: fired.append(10))
    time.call_later(11, lambda: fired.append(11))
    time.run_for(10)
    assert (fired, time.monotonic_ms()) == ([10], 10)
    time.run_for(100)
    assert (fired, time.monotonic_ms()) == ([10, 11], 110)


def test_the_result_of_the_awaited_coroutine_comes_back() -> None:
    """`run_until` returns it and raises what it raised."""
    time = VirtualTime(1)

    async def answer() -> int:
        await time.sleep(1)
        return 42

    async def fail() -> None:
        await time.sleep(1)
        raise ValueError("mine")

    assert time.run_until(answer()) == 42
    with pytest.raises(ValueError, match="mine"):
        time.run_until(fail())


def test_within_gives_the_result_or_cancels() -> None:
    """At the limit the awaitable is ended, its `finally` runs, and who waited gets TimeoutError; never both."""
    time = VirtualTime(1)
    seen: list[str] = []

    async def slow() -> str:
        try:
            await time.sleep(100)
        finally:
            seen.append(f"ended at {time.monotonic_ms()}")
        return "done"

    async def case() -> None:
        assert await time.within(101, slow()) == "done"
        with pytest.raises(TimeoutError):
            await time.within(50, slow())
        with pytest.raises(TimeoutError):
            await time.within(60, time.within(1_000, slow()))
        await time.sleep(1_000)

    time.run_until(case())
    assert seen == ["ended at 100", "ended at 150", "ended at 210"]


def test_the_inner_of_two_limits_does_not_hide_the_outer() -> None:
    """Each limit answers for itself, also when both come at one instant."""
    time = VirtualTime(1)

    async def inner() -> str:
        with pytest.raises(TimeoutError):
            await time.within(10, time.sleep(100))
        await time.sleep(100)
        return "past the outer limit"

    async def case() -> None:
        with pytest.raises(TimeoutError):
            await time.within(10, inner())

    time.run_until(case())
    assert time.monotonic_ms() == 10


def test_cancelling_ends_a_task_at_its_wait() -> None:
    """Its `finally` may still wait; who waits for it goes on without an error."""
    time = VirtualTime(1)
    seen: list[str] = []

    async def worker() -> None:
        try:
            await time.sleep(HOUR_MS)
        except Cancelled:
            seen.append("cancelled")
            raise
        finally:
            await time.sleep(5)
            seen.append("tidied")

    async def case() -> None:
        task = time.spawn(worker(), "worker")
        await time.sleep(1)
        task.cancel()
        assert not task.done()
        await task.wait()
        assert task.done()

    time.run_until(case())
    assert (seen, time.monotonic_ms()) == (["cancelled", "tidied"], 6)


def test_a_task_that_cancels_itself_ends_at_its_next_wait() -> None:
    """Not before: until then it is running."""
    time = VirtualTime(1)
    seen: list[str] = []

    async def worker() -> None:
        task.cancel()
        seen.append("still running")
        await time.sleep(0)
        seen.append("never")

    task = time.spawn(worker(), "worker")
    time.run_until(task.done)
    assert seen == ["still running"]


def test_what_a_task_raised_is_raised_by_wait() -> None:
    """And then not again by the run."""
    time = VirtualTime(1)

    async def fail() -> None:
        raise ValueError("mine")

    async def case() -> str:
        task = time.spawn(fail(), "failing")
        with pytest.raises(ValueError, match="mine"):
            await task.wait()
        return "went on"

    assert time.run_until(case()) == "went on"


def test_what_nobody_waited_for_is_raised_by_the_run() -> None:
    """A task can't fail in silence; the error names it."""
    time = VirtualTime(1)

    async def fail() -> None:
        raise ValueError("mine")

    time.spawn(fail(), "failing")
    with pytest.raises(ValueError, match="mine") as caught:
        time.run_for(10)
    assert any("world/failing" in note for note in caught.value.__notes__)


def test_a_deadlock_names_who_waits() -> None:
    """Instead of hanging."""
    time = VirtualTime(1)

    async def forever() -> None:
        await time.signal().wait()

    time.process("worker-1").spawn(forever(), "hub 3")
    with pytest.raises(Deadlocked, match=r"worker-1/hub 3 \(waiting\)"):
        time.run_until(lambda: False)


def test_a_run_without_end_meets_its_limits() -> None:
    """Virtual time and steps are both limited, and the error names who was waiting."""
    time = VirtualTime(1)

    async def tick(span_ms: int) -> None:
        while True:
            await time.sleep(span_ms)

    clock = time.spawn(tick(1), "clock")
    with pytest.raises(LimitReached, match=r"world/clock \(asleep\)"):
        time.run_until(lambda: False, limit_virtual_ms=50)
    clock.cancel()
    time.run_until(clock.done)
    time.spawn(tick(0), "spin")
    with pytest.raises(LimitReached, match="100 steps"):
        time.run_until(lambda: False, limit_steps=100)


def test_a_foreign_awaitable_is_refused_where_it_is_awaited() -> None:
    """A loop that awaits something of asyncio fails at that line, not in silence."""
    time = VirtualTime(1)

    class Foreign:
        def __await__(self):  # type: ignore[no-untyped-def]
            yield object()

    async def case() -> None:
        with pytest.raises(TypeError, match="ports Time and Log"):
            await Foreign()

    time.run_until(case())


def _order(seed: int, *, shuffled: bool) -> list[tuple[int, str]]:
    time = VirtualTime(seed, shuffled=shuffled)
    trace = time.traced()

    async def worker() -> None:
        for _ in range(5):
            await time.sleep(1)

    for number in range(6):
        time.spawn(worker(), f"task {number}")
    time.run_for(100)
    return trace


def test_only_the_seed_shuffles() -> None:
    """The same seed gives the same order, another one another order; unshuffled all seeds give the same."""
    assert _order(1, shuffled=True) == _order(1, shuffled=True)
    assert _order(1, shuffled=True) != _order(2, shuffled=True)
    assert sorted(_order(1, shuffled=True)) == sorted(_order(2, shuffled=True))
    assert _order(1, shuffled=False) == _order(2, shuffled=False)


def test_cancelled_timers_do_not_pile_up() -> None:
    """Twenty thousand limits that were never reached leave no heap of them, and no instant to wait for."""
    time = VirtualTime(1)

    async def case() -> None:
        for _ in range(20_000):
            await time.within(HOUR_MS, time.sleep(0))

    time.run_until(case())
    assert len(time._scheduler._timers) < 5_000
    assert time.monotonic_ms() == 0
    with pytest.raises(Deadlocked):
        time.run_until(lambda: False)
