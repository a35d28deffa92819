"""Lets planned faults loose on a running simulation, and a crash at a chosen point of a port call."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from linkage.simulation.disorder import Fault, FaultLedger, Kind
from linkage.simulation.memory_broker import MemoryBroker
from linkage.simulation.memory_faults import ANSWER_LOST, LOST, Fate
from linkage.simulation.memory_membership import MemoryMembership
from linkage.simulation.virtual_time import VirtualProcess

FATE_LIMIT_MS = 60_000
"""A fate that meets no request for so long is withdrawn."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What faults act on. `worker` gives the process of that name as it is now; `restart` starts a dead one anew."""

    broker: MemoryBroker
    membership: MemoryMembership
    worker: Callable[[str], VirtualProcess | None]
    restart: Callable[[str], None]
    ledger: FaultLedger


def unleash(faults: Sequence[Fault], ground: Ground) -> None:
    """Each fault strikes `at_ms` from now. What begins ends by itself: pauses, outages, wrong clocks."""
    for fault in faults:
        ground.ledger.plan(fault.kind)
        ground.broker.time.call_later(fault.at_ms, _Strike(fault, ground))


@dataclass(frozen=True, slots=True)
class _Strike:
    fault: Fault
    ground: Ground

    def __call__(self) -> None:
        match self.fault.kind:
            case Kind.PARTITION_MOVED:
                if self.ground.membership.move(int(self.fault.target)):
                    self._count()
            case Kind.BROKER_OUTAGE:
                self.ground.broker.stop_for(self.fault.span_ms)
                self._count_if_met("away:")
            case Kind.TOPIC_OUTAGE:
                self._stop_topic()
            case Kind.WORKER_KILLED | Kind.WORKER_PAUSED | Kind.ZOMBIE | Kind.WORKER_CUT_OFF | Kind.CLOCK_JUMP:
                process = self.ground.worker(self.fault.target)
                if process is not None and process.alive:
                    self._strike_process(process)
            case _:
                self._meet_request()

    def _strike_process(self, process: VirtualProcess) -> None:
        fault = self.fault
        match fault.kind:
            case Kind.WORKER_KILLED:
                process.kill()
                self._count()
                self._after(lambda: self.ground.restart(fault.target))
            case Kind.WORKER_PAUSED | Kind.ZOMBIE if not process.paused:
                process.pause()
                self._after(lambda: self._resume(process))
            case Kind.WORKER_CUT_OFF:
                self.ground.broker.cut_off(process, fault.span_ms)
                self._count_if_met(f"away:{process.name}")
            case Kind.CLOCK_JUMP:
                process.clock_offset_ms += fault.jump_ms
                reads = process.clock_reads
                self._after(lambda: self._mend_clock(process, reads))

    def _resume(self, process: VirtualProcess) -> None:
        if process.alive:
            process.resume()
            self._count()

    def _mend_clock(self, process: VirtualProcess, reads: int) -> None:
        process.clock_offset_ms -= self.fault.jump_ms
        if process.clock_reads > reads:
            self._count()

    def _stop_topic(self) -> None:
        broker, name = self.ground.broker, self.fault.target
        topic = broker.topics.get(name)
        if topic is None or topic.unreachable:
            return
        broker.set_unreachable(name, True)
        self._count_if_met(f"unreachable:{name}")
        self._after(lambda: broker.set_unreachable(name, False))

    def _meet_request(self) -> None:
        """The next request of the kind the fault names, if one comes in time."""
        faults = self.ground.broker.faults
        operation, fate = fate_of(self.fault.kind, self.fault.span_ms)
        injection = faults.inject(operation, fate, process=self.fault.target or None, struck=self._count)
        self.ground.broker.time.call_later(FATE_LIMIT_MS, lambda: faults.withdraw(injection))

    def _count(self) -> None:
        self.ground.ledger.strike(self.fault.kind)

    def _count_if_met(self, strike: str) -> None:
        """Counts at the end of the span, if anybody was met by that trouble meanwhile."""
        before = self._met(strike)

        def judge() -> None:
            if self._met(strike) > before:
                self._count()

        self._after(judge)

    def _met(self, strike: str) -> int:
        strikes = self.ground.broker.faults.strikes
        return sum(count for name, count in sorted(strikes.items()) if name.startswith(strike))

    def _after(self, act: Callable[[], None]) -> None:
        self.ground.broker.time.call_later(self.fault.span_ms, act)


def fate_of(kind: Kind, delay_ms: int) -> tuple[str, Fate]:
    """(operation, fate) of the kinds that befall one request."""
    match kind:
        case Kind.READ_FAILED:
            return "read", LOST
        case Kind.COMMIT_UNKNOWN_DONE:
            return "end", ANSWER_LOST
        case Kind.COMMIT_UNKNOWN_UNDONE:
            return "end", LOST
        case Kind.COMMIT_DELAYED:
            return "end", Fate(delay_ms=delay_ms)
        case Kind.PRODUCE_LOST:
            return "produce", LOST
        case Kind.APPEND_UNKNOWN_DONE:
            return "append", ANSWER_LOST
        case Kind.APPEND_UNKNOWN_UNDONE:
            return "append", LOST
        case Kind.APPEND_DELAYED:
            return "append", Fate(delay_ms=delay_ms)
    raise ValueError(f"{kind} befalls no request")


class CrashAt:
    """A hook for `broker.faults.hook`: kills a process at its n-th point (from 1), once.

    `crashed` is called right after, in no virtual time; it must not run the successor itself but may spawn it.
    """

    def __init__(self, process_name: str, nth: int, crashed: Callable[[str], None] = lambda point: None) -> None:
        self._process_name = process_name
        self._left = nth
        self._crashed = crashed
        self.point: str | None = None
        """Where it struck; None: it never did, the run passed fewer points."""

    def __call__(self, process: VirtualProcess, point: str) -> None:
        if process.name != self._process_name or self.point is not None:
            return
        self._left -= 1
        if self._left == 0:
            self.point = point
            process.kill()
            self._crashed(point)
