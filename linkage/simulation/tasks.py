"""What the scheduler runs, and how it waits.

A coroutine gives way by yielding one integer through `pause`: how many milliseconds it sleeps at most, or FOR_EVER.
Whatever it waits for wakes it earlier. So there is one kind of wait, and one place at which others get their turn.
"""

import types
from collections.abc import Callable, Coroutine, Generator
from typing import TYPE_CHECKING, Any

from linkage.errors import LinkageError

if TYPE_CHECKING:
    from linkage.simulation.scheduler import Scheduler

FOR_EVER = -1


class Cancelled(BaseException):
    """Thrown into a coroutine at its wait: it is to end."""


class Killed(BaseException):
    """The process this coroutine belongs to is dead: it may not go on, nor touch anything outside."""


class Deadlocked(LinkageError):
    """Nothing is ready, no timer is set, and what the run waits for has not come."""


class LimitReached(LinkageError):
    """The run used up its virtual time or its steps before what it waits for came."""


@types.coroutine
def pause(span_ms: int) -> Generator[int, Any, Any]:
    """Gives way for at most `span_ms` (0: everyone else who is ready goes first); returns what it was woken with."""
    return (yield span_ms)


class Owner:
    """What tasks belong to: they live, stand still and die together."""

    __slots__ = ("alive", "held", "name", "paused", "tasks")

    def __init__(self, name: str) -> None:
        self.name = name
        self.alive = True
        self.paused = False
        self.tasks: dict[int, VirtualTask] = {}
        self.held: list[VirtualTask] = []


class Timer:
    """Calls back once, unless cancelled before."""

    __slots__ = ("_scheduler", "callback")

    def __init__(self, scheduler: "Scheduler", callback: Callable[[], None]) -> None:
        self._scheduler = scheduler
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        if self.callback is not None:
            self.callback = None
            self._scheduler.count_stale()


class VirtualTask:
    """One spawned coroutine; implements the port `Task`."""

    __slots__ = (
        "coroutine",
        "ended",
        "error",
        "joiners",
        "name",
        "number",
        "owner",
        "queued",
        "result",
        "retrieved",
        "scheduler",
        "throws",
        "timer",
        "value",
    )

    def __init__(self, scheduler: "Scheduler", owner: Owner, coroutine: Coroutine[Any, Any, Any], name: str) -> None:
        self.scheduler = scheduler
        self.owner = owner
        self.coroutine = coroutine
        self.name = name
        self.number = 0
        self.queued = False
        self.timer = 0
        self.value: Any = None
        self.throws: list[BaseException] = []
        self.joiners: list[VirtualTask] = []
        self.result: Any = None
        self.error: BaseException | None = None
        self.retrieved = False
        self.ended = False

    def cancel(self) -> None:
        """Ends it at its next wait."""
        self.interrupt(Cancelled())

    def done(self) -> bool:
        return self.ended

    async def wait(self) -> None:
        """Returns when it has ended, by itself, cancelled or killed; raises what it raised."""
        waiting = self.scheduler.running()
        while not self.ended:
            self.joiners.append(waiting)
            try:
                await pause(FOR_EVER)
            finally:
                self.joiners.remove(waiting)
        self.retrieved = True
        if self.error is not None:
            raise self.error

    def interrupt(self, thrown: BaseException) -> None:
        """Throws into the coroutine where it waits, or at its next wait if it is the running one."""
        if self.ended:
            return
        self.throws.append(thrown)
        if self.scheduler.current is not self:
            self.scheduler.wake(self, None)

    def finish(self, result: Any, error: BaseException | None) -> None:
        """Marks the end and wakes whoever waits for it."""
        self.ended = True
        self.result = result
        self.error = error
        self.owner.tasks.pop(self.number, None)
        if self.timer:
            self.timer = 0
            self.scheduler.count_stale()
        if error is not None:
            self.scheduler.failures.append(self)
        for waiting in self.joiners:
            self.scheduler.wake(waiting, None)

    def describe(self) -> str:
        state = "paused" if self.owner.paused else "asleep" if self.timer else "waiting"
        return f"{self.owner.name}/{self.name} ({state})"


class Signal:
    """Wakes everyone who waits for it; remembers nothing."""

    __slots__ = ("_scheduler", "_waiting")

    def __init__(self, scheduler: "Scheduler") -> None:
        self._scheduler = scheduler
        self._waiting: list[VirtualTask] = []

    async def wait(self, span_ms: int = FOR_EVER) -> bool:
        """True when it was set, False after `span_ms`."""
        task = self._scheduler.running()
        self._waiting.append(task)
        try:
            return (await pause(span_ms)) is True
        finally:
            self._waiting.remove(task)

    def set(self) -> None:
        for task in self._waiting:
            self._scheduler.wake(task, True)
