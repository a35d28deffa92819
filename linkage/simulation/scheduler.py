"""Runs coroutines on virtual time, one at a time, in an order that only the seed decides."""

import heapq
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from random import Random  # noqa: TID251 (the simulation's own seeded chance)
from typing import Any

from linkage.simulation.tasks import Cancelled, LimitReached, Owner, Timer, VirtualTask

CLOSE_LIMIT_TRIES = 1_000
STALE_LIMIT_TIMERS = 1_024
"""So many cancelled timers are left in the heap before it is made anew."""


class Scheduler:
    """The ready tasks, the timers and the virtual instant (milliseconds since the start)."""

    def __init__(self, seed: int, *, shuffled: bool) -> None:
        self.elapsed_ms = 0
        self.steps = 0
        self.current: VirtualTask | None = None
        self.failures: list[VirtualTask] = []
        self.trace: list[tuple[int, str]] | None = None
        self._chance = Random(f"{seed}:order").random if shuffled else None
        self._ready: deque[VirtualTask] = deque()
        self._timers: list[tuple[int, int, VirtualTask | Timer]] = []
        self._sequence = 0
        self._stale = 0
        self._owners: list[Owner] = []
        self._abandoned: list[Coroutine[Any, Any, Any]] = []

    def add_owner(self, owner: Owner) -> None:
        self._owners = [known for known in self._owners if known.alive or known.tasks]
        self._owners.append(owner)

    def spawn(self, owner: Owner, coroutine: Coroutine[Any, Any, Any], name: str) -> VirtualTask:
        """Ready at once; runs when its turn comes. For a dead owner it is closed instead."""
        task = VirtualTask(self, owner, coroutine, name)
        if not owner.alive:
            coroutine.close()
            task.finish(None, None)
            return task
        self._sequence += 1
        task.number = self._sequence
        owner.tasks[task.number] = task
        self.wake(task, None)
        return task

    def running(self) -> VirtualTask:
        if self.current is None:
            raise RuntimeError("only a task of this scheduler can wait on its time")
        return self.current

    def wake(self, task: VirtualTask, value: object) -> None:
        if task.queued or task.done():
            return
        if task.timer:
            task.timer = 0
            self.count_stale()
        task.value = value
        task.queued = True
        self._ready.append(task)

    def call_later(self, span_ms: int, callback: Callable[[], None]) -> Timer:
        """Calls back after `span_ms`, whichever processes live or stand still by then."""
        timer = Timer(self, callback)
        self._sequence += 1
        heapq.heappush(self._timers, (self.elapsed_ms + max(span_ms, 0), self._sequence, timer))
        return timer

    def count_stale(self) -> None:
        self._stale += 1
        if self._stale > STALE_LIMIT_TIMERS and self._stale * 2 > len(self._timers):
            self._timers = [entry for entry in self._timers if _is_set(entry)]
            heapq.heapify(self._timers)
            self._stale = 0

    def run(self, finished: Callable[[], bool], until_ms: int, limit_steps: int) -> bool:
        """True when finished, False when no timer is left before `until_ms`. Raises LimitReached for the steps."""
        if self.current is not None:
            raise RuntimeError("a run inside a run")
        ready, chance = self._ready, self._chance
        last_step = self.steps + limit_steps
        while not finished():
            if not ready:
                if not self._advance(until_ms):
                    return False
                continue
            if chance is not None and len(ready) > 1:
                ready.rotate(-int(chance() * len(ready)))
            task = ready.popleft()
            if task.owner.paused:
                task.owner.held.append(task)
            elif not task.ended:
                if self.steps >= last_step:
                    ready.appendleft(task)
                    raise LimitReached(f"{limit_steps} steps at {self.elapsed_ms} ms: {self.waiting()}")
                self._resume(task)
        return True

    def close(self, tasks: Sequence[VirtualTask]) -> None:
        """Ends tasks without letting them wait again: what their `finally` blocks try to await is suppressed."""
        for task in tasks:
            if task is self.current or task.done():
                continue
            task.finish(None, None)
            self._close_coroutine(task)

    def release(self, owner: Owner) -> None:
        """Hands back what became ready while its owner stood still, in that order."""
        held, owner.held = owner.held, []
        self._ready.extend(held)

    def has_timers(self) -> bool:
        return any(_is_set(entry) for entry in self._timers)

    def waiting(self) -> list[str]:
        return [task.describe() for owner in self._owners for task in owner.tasks.values()]

    def _close_coroutine(self, task: VirtualTask) -> None:
        for _ in range(CLOSE_LIMIT_TRIES):
            try:
                task.coroutine.close()
            except BaseException:  # noqa: S112, PERF203, RUF100 (a dead process may say nothing any more)
                continue
            return
        self._abandoned.append(task.coroutine)

    def _resume(self, task: VirtualTask) -> None:
        self.steps += 1
        task.queued = False
        if self.trace is not None:
            self.trace.append((self.elapsed_ms, task.name))
        self.current = task
        try:
            span_ms = task.coroutine.throw(task.throws.pop(0)) if task.throws else task.coroutine.send(task.value)
        except StopIteration as stop:
            task.finish(stop.value, None)
            return
        except Cancelled:
            task.finish(None, None)
            return
        except BaseException as error:
            task.finish(None, error if task.owner.alive else None)
            return
        finally:
            self.current = None
        if not task.owner.alive:
            self.close([task])
        elif type(span_ms) is not int:
            task.interrupt(TypeError(f"only the ports Time and Log can be awaited here, not {span_ms!r}"))
        elif span_ms == 0 or task.throws:
            self.wake(task, None)
        elif span_ms > 0:
            self._sequence += 1
            task.timer = self._sequence
            heapq.heappush(self._timers, (self.elapsed_ms + span_ms, self._sequence, task))

    def _advance(self, until_ms: int) -> bool:
        """Moves to the next timer's instant and fires everything set for it; False when there is none in time."""
        timers = self._timers
        while timers and not _is_set(timers[0]):
            heapq.heappop(timers)
            self._stale -= 1
        if not timers or timers[0][0] > until_ms:
            return False
        due_ms = self.elapsed_ms = timers[0][0]
        while self._timers and self._timers[0][0] == due_ms:
            entry = heapq.heappop(self._timers)
            target = entry[2]
            if not _is_set(entry):
                self._stale -= 1
            elif isinstance(target, Timer):
                callback, target.callback = target.callback, None
                if callback is not None:
                    callback()
            else:
                target.timer = 0
                self.wake(target, None)
        return True


def _is_set(entry: tuple[int, int, VirtualTask | Timer]) -> bool:
    target = entry[2]
    return target.callback is not None if isinstance(target, Timer) else target.timer == entry[1]
