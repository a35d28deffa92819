"""Virtual processes: what a simulation may do to a worker, and what is left of it."""

from collections.abc import Callable

import pytest

from linkage.simulation.virtual_time import Killed, VirtualProcess, VirtualTime

HOUR_MS = 3_600_000


async def _stubborn(process: VirtualProcess, acts: list[str], touch: Callable[[], None]) -> None:
    """Tries everything on its way out."""
    while True:
        try:
            await process.sleep(1)
            acts.append("ran")
        finally:
            process.spawn(_stubborn(process, acts, touch), "successor")
            try:
                await process.sleep(1)
                acts.append("waited after death")
            finally:
                process.require_alive()
                touch()


def test_a_killed_process_does_nothing_any_more() -> None:
    """Its `finally` blocks can neither wait, spawn nor reach out; others that wait for its tasks go on."""
    time = VirtualTime(1)
    worker = time.process("worker-1")
    acts: list[str] = []
    task = worker.spawn(_stubborn(worker, acts, lambda: acts.append("touched")), "stubborn")

    async def case() -> None:
        await time.sleep(4)
        acts.clear()
        worker.kill()
        await task.wait()
        await time.sleep(HOUR_MS)

    time.run_until(case())
    assert acts == []
    assert not worker.alive
    with pytest.raises(Killed):
        worker.require_alive()


def test_a_task_can_kill_its_own_process() -> None:
    """It ends at its next port call, and what it has on the way out is suppressed."""
    time = VirtualTime(1)
    worker = time.process("worker-1")
    seen: list[str] = []

    async def suicide() -> None:
        worker.kill()
        seen.append("last line")
        try:
            await worker.sleep(0)
        except Killed:
            seen.append("killed")
            raise
        seen.append("never")

    async def sibling() -> None:
        await worker.sleep(10)
        seen.append("sibling ran")

    task = worker.spawn(suicide(), "suicide")
    worker.spawn(sibling(), "sibling")
    time.run_until(task.done)
    time.run_for(100)
    assert seen == ["last line", "killed"]


def test_a_closed_world_is_silent() -> None:
    """Nothing of it runs when it is collected, however it would like to."""
    time = VirtualTime(1)
    acts: list[str] = []
    for name in ("worker-1", "worker-2"):
        process = time.process(name)
        process.spawn(_stubborn(process, acts, lambda: acts.append("touched")), "stubborn")
    time.run_for(3)
    acts.clear()
    time.close()
    time.run_for(HOUR_MS)
    assert acts == []


def test_the_name_of_a_dead_process_is_free_again() -> None:
    """A restarted worker is another incarnation, with chance of its own; a living one is not shadowed."""
    time = VirtualTime(1)
    first = time.process("worker-1")
    with pytest.raises(ValueError, match="still alive"):
        time.process("worker-1")
    first.kill()
    second = time.process("worker-1")
    assert (first.incarnation, second.incarnation) == (1, 2)
    assert first.jitter() != second.jitter()


def test_a_stopped_process_stands_still_and_fires_its_timers_late() -> None:
    """SIGSTOP and SIGCONT: nothing is lost, and nothing runs in between; a limit that passed has passed."""
    time = VirtualTime(1)
    worker = time.process("worker-1")
    ticks: list[int] = []
    limits: list[int] = []

    async def tick() -> None:
        while True:
            await worker.sleep(10)
            ticks.append(worker.monotonic_ms())

    async def limited() -> None:
        with pytest.raises(TimeoutError):
            await worker.within(30, worker.sleep(HOUR_MS))
        limits.append(worker.monotonic_ms())

    worker.spawn(tick(), "tick")
    worker.spawn(limited(), "limited")
    time.run_for(25)
    worker.pause()
    time.run_for(75)
    assert (ticks, limits) == ([10, 20], [])
    worker.resume()
    time.run_for(15)
    assert (ticks, limits) == ([10, 20, 100, 110], [100])


def test_a_clock_that_jumps_is_the_processs_own() -> None:
    """Only `now_ms`, only there; what measures spans is unmoved."""
    time = VirtualTime(1, start_ms=1_000)
    wrong, right = time.process("wrong"), time.process("right")
    wrong.clock_offset_ms = -500
    time.run_for(10)
    assert (wrong.now_ms(), right.now_ms(), time.now_ms()) == (510, 1_010, 1_010)
    assert wrong.monotonic_ms() == right.monotonic_ms() == 10
