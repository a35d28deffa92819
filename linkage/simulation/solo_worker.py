"""One worker that holds every partition: ingress, and for each partition the hub's loop and the clock, as they are.

Without leases and stage topics, which only matter where there are several workers or followers. A clock ticks when its
next deadline is due, not every second: a county's day is mostly waiting.
"""

from collections.abc import Sequence

from linkage.events.envelope import StagedFact
from linkage.runtime.clock import Clock
from linkage.runtime.hub import HubLoop, Observer
from linkage.runtime.ingress import Ingress
from linkage.simulation.cluster import Cluster
from linkage.simulation.memory_log import MemoryLog
from linkage.simulation.virtual_time import Signal

DIGEST_KEY = b"simulation"
IDLE_MS = 86_400_000
"""How long a clock without deadlines sleeps, unless it is told of one."""


class SoloWorker:
    """Starts at once. `on_committed` is told (hub, facts) of each committed step, before anything else happens."""

    def __init__(self, cluster: Cluster, on_committed: Observer) -> None:
        self.process = cluster.time.process("worker")
        self._log = MemoryLog(cluster.broker, self.process)
        self._cluster = cluster
        self.ingress = Ingress(self._log, self.process, cluster.topics, cluster.log_ids, DIGEST_KEY, cluster.limits)
        self.hubs: list[HubLoop] = []
        self.clocks: list[Clock] = []
        self.process.spawn(self.ingress.run(), "ingress")
        for number in range(cluster.partitions):
            self._begin(number, on_committed)

    def _begin(self, number: int, on_committed: Observer) -> None:
        cluster = self._cluster
        clock = Clock(self._log, self.process, cluster.topics, number, cluster.log_ids[number], cluster.limits)

        news = cluster.time.signal()

        def committed(hub: str, facts: Sequence[StagedFact]) -> None:
            clock.committed(hub, facts)
            news.set()
            on_committed(hub, facts)

        hub = HubLoop(
            self._log,
            self.process,
            cluster.topics,
            number,
            cluster.log_ids,
            cluster.limits,
            is_assigned=lambda: True,
            on_taken_over=clock.taken_over,
            on_committed=committed,
        )
        self.hubs.append(hub)
        self.clocks.append(clock)
        self.process.spawn(hub.run(), f"hub {number}")
        self.process.spawn(self._tick(clock, news), f"clock {number}")

    async def _tick(self, clock: Clock, news: Signal) -> None:
        """Ticks at the instant of the next deadline; what is committed meanwhile may set a nearer one."""
        while True:
            await clock.tick()
            wait_ms = self._until_due_ms(clock)
            if wait_ms > 0:
                await news.wait(wait_ms)

    def _until_due_ms(self, clock: Clock) -> int:
        """To the next deadline that falls due, or that has been due and is looked at again."""
        first_ms = clock.due[0][0] - self.process.now_ms() if clock.due else IDLE_MS
        again_ms = clock.again[0][0] - self.process.monotonic_ms() if clock.again else IDLE_MS
        return min(first_ms, again_ms)

    @property
    def open_deadlines(self) -> int:
        """Deadlines that the clocks still watch."""
        return sum(len(clock.watched) for clock in self.clocks)
