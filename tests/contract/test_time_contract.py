"""The Time port's contract, on asyncio and on virtual time."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from linkage.runtime.ports import Time
from linkage.worker.asyncio_time import AsyncioTime
from tests.contract.worlds import MemoryWorld

Case = Callable[[Time], Awaitable[None]]


def run_on_asyncio(case: Case) -> None:
    async def run() -> None:
        await case(AsyncioTime())

    asyncio.run(run())


def run_on_virtual_time(case: Case) -> None:
    world = MemoryWorld(seed=7)

    async def run() -> None:
        await case(world.time)

    world.virtual.run_until(run())


def on_every_time(case: Case) -> Callable[[Callable[[Case], None]], None]:
    @pytest.mark.parametrize("run", [run_on_virtual_time, run_on_asyncio])
    def test(run: Callable[[Case], None]) -> None:
        run(case)

    test.__doc__ = case.__doc__
    return test


@on_every_time
async def test_sleeping_moves_both_clocks(clock: Time) -> None:
    """By at least the span, and not by much more."""
    now_ms, monotonic_ms = clock.now_ms(), clock.monotonic_ms()
    await clock.sleep(50)
    assert 45 <= clock.monotonic_ms() - monotonic_ms < 2_000
    assert 45 <= clock.now_ms() - now_ms < 2_000


@on_every_time
async def test_within_hands_on_what_came_in_time(clock: Time) -> None:
    """The result, or the awaitable's own error."""

    async def answer() -> str:
        await clock.sleep(1)
        return "answer"

    async def fail() -> None:
        await clock.sleep(1)
        raise ValueError("its own")

    assert await clock.within(5_000, answer()) == "answer"
    with pytest.raises(ValueError, match="its own"):
        await clock.within(5_000, fail())


@on_every_time
async def test_within_cancels_what_takes_too_long(clock: Time) -> None:
    """TimeoutError, and nothing of it runs on."""
    reached: list[str] = []

    async def slow() -> None:
        try:
            await clock.sleep(60_000)
            reached.append("end")
        finally:
            reached.append("ended")

    with pytest.raises(TimeoutError):
        await clock.within(20, slow())
    assert reached == ["ended"]


@on_every_time
async def test_a_task_runs_beside_and_its_error_comes_out_of_wait(clock: Time) -> None:
    """Spawning returns at once; `wait` raises what the task raised, each time."""
    steps: list[str] = []

    async def work() -> None:
        steps.append("begun")
        await clock.sleep(10)
        raise ValueError("its own")

    task = clock.spawn(work(), "work")
    assert not task.done()
    steps.append("spawned")
    for _ in range(2):
        with pytest.raises(ValueError, match="its own"):
            await task.wait()
    assert task.done()
    assert steps == ["spawned", "begun"]


@on_every_time
async def test_a_cancelled_task_has_ended_when_wait_returns(clock: Time) -> None:
    """Waiting for it is no error, and what it does on its way out is done."""
    steps: list[str] = []

    async def work() -> None:
        try:
            await clock.sleep(60_000)
        finally:
            steps.append("cleaned up")

    task = clock.spawn(work(), "work")
    await clock.sleep(1)
    task.cancel()
    await task.wait()
    assert task.done()
    assert steps == ["cleaned up"]


@on_every_time
async def test_jitter_is_in_its_range_and_varies(clock: Time) -> None:
    """In [0, 1)."""
    drawn = [clock.jitter() for _ in range(50)]
    assert all(0 <= number < 1 for number in drawn)
    assert len(set(drawn)) > 10
