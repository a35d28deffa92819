"""The port `Time` without a clock: an hour passes as soon as everyone sleeps, and the same seed gives the same hour.

`VirtualTime` is the world; `VirtualTime.process` gives a worker its own view of it, which can be killed, stopped, and
given a wall clock that is wrong. The world itself speaks for whoever stands outside: the test, the senders.
"""

import inspect
from collections.abc import Awaitable, Callable, Coroutine
from random import Random  # noqa: TID251 (the simulation's own seeded chance)
from typing import Any

from linkage.simulation.scheduler import Scheduler
from linkage.simulation.tasks import (
    Cancelled,
    Deadlocked,
    Killed,
    LimitReached,
    Owner,
    Signal,
    Timer,
    VirtualTask,
    pause,
)

START_MS = 1_767_225_600_000
"""2026-01-01T00:00:00Z, where a simulation begins unless told otherwise."""
DAY_MS = 86_400_000
LIMIT_STEPS = 10_000_000

__all__ = [
    "Cancelled",
    "Deadlocked",
    "Killed",
    "LimitReached",
    "Signal",
    "VirtualProcess",
    "VirtualTask",
    "VirtualTime",
]


class VirtualProcess:
    """The `Time` of one process. Its tasks live, stand still and die with it.

    `now_ms` may be wrong by `clock_offset_ms`, which anyone may change; `monotonic_ms` never is.
    """

    def __init__(self, scheduler: Scheduler, name: str, incarnation: int, seed: int, start_ms: int) -> None:
        self.name = name
        self.incarnation = incarnation
        self.clock_offset_ms = 0
        self.clock_reads = 0
        self._start_ms = start_ms
        self._scheduler = scheduler
        self._owner = Owner(name)
        self._chance = Random(f"{seed}:{name}:{incarnation}")
        self._watchers: list[Callable[[], None]] = []
        scheduler.add_owner(self._owner)

    @property
    def alive(self) -> bool:
        return self._owner.alive

    @property
    def paused(self) -> bool:
        return self._owner.paused

    def require_alive(self) -> None:
        """Raises Killed in what is left of a dead process."""
        if not self._owner.alive:
            raise Killed(self.name)

    def watch(self, watcher: Callable[[], None]) -> None:
        """Calls back after each kill, pause and resume."""
        self._watchers.append(watcher)

    def kill(self) -> None:
        """kill -9: drops all its tasks now. Called by one of its own tasks, that one ends at its next port call."""
        if not self._owner.alive:
            return
        self._owner.alive = False
        self._owner.paused = False
        self._owner.held.clear()
        self._scheduler.close(list(self._owner.tasks.values()))
        self._changed()

    def pause(self) -> None:
        """SIGSTOP: nothing of it runs until `resume`."""
        if self._owner.alive and not self._owner.paused:
            self._owner.paused = True
            self._changed()

    def resume(self) -> None:
        """SIGCONT: what became ready meanwhile runs, timers that passed fire."""
        if self._owner.paused:
            self._owner.paused = False
            self._scheduler.release(self._owner)
            self._changed()

    def _changed(self) -> None:
        for watcher in list(self._watchers):
            watcher()

    def now_ms(self) -> int:
        self.clock_reads += 1
        return self._start_ms + self._scheduler.elapsed_ms + self.clock_offset_ms

    def monotonic_ms(self) -> int:
        return self._scheduler.elapsed_ms

    async def sleep(self, span_ms: int) -> None:
        if not self._owner.alive:
            raise Killed(self.name)
        await pause(span_ms if span_ms > 0 else 0)

    async def within(self, span_ms: int, awaitable: Awaitable[Any]) -> Any:
        """The awaitable's result; TimeoutError after `span_ms`, when it has been cancelled."""
        self.require_alive()
        task = self._scheduler.running()
        expired = Cancelled()
        timer = self._scheduler.call_later(span_ms, lambda: task.interrupt(expired))
        try:
            return await awaitable
        except Cancelled as cancelled:
            if cancelled is expired:
                raise TimeoutError(f"no result within {span_ms} ms") from None
            raise
        finally:
            timer.cancel()
            if expired in task.throws:
                task.throws.remove(expired)

    def spawn(self, coroutine: Coroutine[Any, Any, None], name: str) -> VirtualTask:
        return self._scheduler.spawn(self._owner, coroutine, name)

    def jitter(self) -> float:
        return self._chance.random()


class VirtualTime:
    """The world's time, and the run. Implements the port `Time`, too, for what belongs to no worker."""

    def __init__(self, seed: int, start_ms: int = START_MS, *, shuffled: bool = False) -> None:
        """`shuffled`: tasks ready at the same instant run in an order drawn from the seed, else in order of waking."""
        self.seed = seed
        self.start_ms = start_ms
        self._scheduler = Scheduler(seed, shuffled=shuffled)
        self._processes: dict[str, VirtualProcess] = {}
        self.world = self.process("world")

    @property
    def steps(self) -> int:
        """How many times a task was resumed so far."""
        return self._scheduler.steps

    def traced(self) -> list[tuple[int, str]]:
        """From now on every resumption is added to this list: (virtual ms, task name)."""
        if self._scheduler.trace is None:
            self._scheduler.trace = []
        return self._scheduler.trace

    def process(self, name: str) -> VirtualProcess:
        """A new process; the name of a dead one may be used again."""
        before = self._processes.get(name)
        if before is not None and before.alive:
            raise ValueError(f"process {name} is still alive")
        incarnation = before.incarnation + 1 if before is not None else 1
        process = VirtualProcess(self._scheduler, name, incarnation, self.seed, self.start_ms)
        self._processes[name] = process
        return process

    def close(self) -> None:
        """Ends the world: kills every process, so that nothing of the run acts later, when it is collected."""
        for process in list(self._processes.values()):
            process.kill()

    def signal(self) -> Signal:
        return Signal(self._scheduler)

    def call_later(self, span_ms: int, callback: Callable[[], None]) -> Timer:
        """What happens by itself: a broker's time limit, a planned fault."""
        return self._scheduler.call_later(span_ms, callback)

    def run_until(
        self,
        awaited: Callable[[], bool] | Coroutine[Any, Any, Any],
        limit_virtual_ms: int = DAY_MS,
        limit_steps: int = LIMIT_STEPS,
    ) -> Any:
        """Runs until the predicate is true, or until the coroutine has ended, whose result it returns.

        Raises what a task raised that nobody waited for, Deadlocked or LimitReached.
        """
        if not inspect.iscoroutine(awaited):
            assert callable(awaited)
            self._run(awaited, limit_virtual_ms, limit_steps)
            return None
        task = self.world.spawn(awaited, "run")
        self._run(task.done, limit_virtual_ms, limit_steps)
        return task.result

    def run_for(self, span_ms: int, limit_steps: int = LIMIT_STEPS) -> None:
        """Lets `span_ms` pass, whether anything happens in it or not."""
        until_ms = self._scheduler.elapsed_ms + span_ms
        self._scheduler.run(lambda: False, until_ms, limit_steps)
        self._scheduler.elapsed_ms = until_ms
        self._raise_failures()

    def _run(self, finished: Callable[[], bool], limit_virtual_ms: int, limit_steps: int) -> None:
        scheduler = self._scheduler
        reached = scheduler.run(finished, scheduler.elapsed_ms + limit_virtual_ms, limit_steps)
        self._raise_failures()
        if reached:
            return
        if scheduler.has_timers():
            raise LimitReached(f"not within {limit_virtual_ms} virtual ms; waiting: {scheduler.waiting()}")
        raise Deadlocked(f"nothing can go on; waiting: {scheduler.waiting()}")

    def _raise_failures(self) -> None:
        unseen = [task for task in self._scheduler.failures if not task.retrieved]
        self._scheduler.failures.clear()
        if not unseen:
            return
        first = unseen[0].error
        assert first is not None
        for task in unseen:
            task.retrieved = True
            first.add_note(f"raised by {task.owner.name}/{task.name}: {task.error!r}")
        raise first

    def now_ms(self) -> int:
        return self.world.now_ms()

    def monotonic_ms(self) -> int:
        return self.world.monotonic_ms()

    async def sleep(self, span_ms: int) -> None:
        await self.world.sleep(span_ms)

    async def within(self, span_ms: int, awaitable: Awaitable[Any]) -> Any:
        return await self.world.within(span_ms, awaitable)

    def spawn(self, coroutine: Coroutine[Any, Any, None], name: str) -> VirtualTask:
        return self.world.spawn(coroutine, name)

    def jitter(self) -> float:
        return self.world.jitter()
