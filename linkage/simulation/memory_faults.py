"""What can be made to go wrong with a port call: stop its process at a point of it, or lose or delay one request."""

from collections.abc import Callable
from dataclasses import dataclass

from linkage.simulation.virtual_time import VirtualProcess

PointHook = Callable[[VirtualProcess, str], None]
"""Called at each point of a port call (`append.before`, `transact.written`); may kill the process, or raise."""


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of one request. It reaches the broker `delay_ms` from now, whatever becomes of who sent it.

    Not `arrives`: it never does. Not `answered`: the sender hears nothing, and gives up at its request time-out.
    """

    arrives: bool = True
    answered: bool = True
    delay_ms: int = 0


LOST = Fate(arrives=False, answered=False)
ANSWER_LOST = Fate(answered=False)


@dataclass(frozen=True, slots=True, eq=False)
class Injection:
    """A fate that waits for the request it is meant for."""

    operation: str
    fate: Fate
    process: str | None
    struck: Callable[[], None] | None


class Faults:
    """Hooks, pending fates, and the counts of what really struck."""

    def __init__(self) -> None:
        self.hook: PointHook | None = None
        self.points: dict[str, int] = {}
        """How many points of port calls each process has passed, by its name: where a crash can be placed."""
        self.strikes: dict[str, int] = {}
        """How often each kind of trouble met somebody, by its name."""
        self._injections: list[Injection] = []

    def inject(
        self, operation: str, fate: Fate, *, process: str | None = None, struck: Callable[[], None] | None = None
    ) -> Injection:
        """The next request of that operation (and of that process, if named) gets this fate, once.

        Operations: read (it fails, whatever the fate), append, produce, end (EndTxn that commits), abort, initialise,
        reader, group_reader, offsets, partitions, committed, commit. `struck` is called when it happens.
        """
        injection = Injection(operation, fate, process, struck)
        self._injections.append(injection)
        return injection

    def withdraw(self, injection: Injection) -> None:
        """If it has not struck yet, it never will."""
        if injection in self._injections:
            self._injections.remove(injection)

    def take(self, process: VirtualProcess, operation: str) -> Fate | None:
        if not self._injections:
            return None
        for injection in self._injections:
            if injection.operation == operation and injection.process in (None, process.name):
                self._injections.remove(injection)
                self.struck(f"fate:{operation}")
                if injection.struck is not None:
                    injection.struck()
                return injection.fate
        return None

    def struck(self, kind: str) -> None:
        self.strikes[kind] = self.strikes.get(kind, 0) + 1

    def point(self, process: VirtualProcess, name: str) -> None:
        """Counts a point and lets the hook act there. Raises Killed when the process is dead afterwards."""
        process.require_alive()
        self.points[process.name] = self.points.get(process.name, 0) + 1
        if self.hook is not None:
            self.hook(process, name)
            process.require_alive()
