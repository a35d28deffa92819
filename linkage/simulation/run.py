"""A county's days in seconds: reports at their own instants, the real loops, virtual time, a journal at the end.

The same county, events, answers and seed give the same journal, byte for byte.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from linkage import wire
from linkage.county import County, events_to_load
from linkage.events.envelope import StagedFact
from linkage.runtime.ports import Outgoing, Record, TopicPartition
from linkage.runtime.progress import LoopLimits
from linkage.simulation.answers import Nobody, Players, Prompt
from linkage.simulation.cluster import Cluster
from linkage.simulation.memory_broker import BrokerSettings
from linkage.simulation.said import Said, in_order
from linkage.simulation.solo_worker import SoloWorker
from linkage.simulation.tally import Tally
from linkage.topics import Topics

LIMITS = LoopLimits(read_wait_ms=60_000, clock_tick_ms=1_000)
BROKER = BrokerSettings(latency_ms=(0, 0), marker_latency_ms=(0, 0))
PARTITIONS_COUNT = 4
LOADING_MS = 60_000
"""The county is loaded in the minute before the first event."""
LOOK_EVERY_MS = 60_000
AFTERWARDS_LIMIT_MS = 60 * 86_400_000
"""How long after the last event it goes on at most; what is open then stays open, and the outcome says so."""
STEPS_LIMIT = 10**10

AnswersBy = Literal["prompt", "none"]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a simulation is. `now_ms`: virtual, milliseconds since 1970; `said`: events so far, of `of`."""

    now_ms: int
    said: int
    of: int
    tally: Tally


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a simulation came to. `virtual_ms`: from the first event to the end; `is_finished`: no deadline is open."""

    reports: int
    virtual_ms: int
    tally: Tally
    open_deadlines: int
    is_finished: bool
    journal: Sequence[Record]
    """Every record of the journal, partition by partition, by offset."""


Shown = Callable[[Progress], None]


def unseen(progress: Progress) -> None:
    """Nobody watches."""


@dataclass(slots=True)
class Simulation:
    """One run. `said`: reports, and recorded answers with them; `answers`: who answers beside that."""

    county: County
    said: Sequence[Said]
    answers: AnswersBy = "prompt"
    seed: int = 1
    partitions: int = PARTITIONS_COUNT
    topics: Topics = field(default_factory=Topics)

    def run(self, shown: Shown = unseen) -> Outcome:
        """Raises ValueError when nobody says anything."""
        said = in_order(self.said)
        if not said:
            raise ValueError("nothing to simulate: there is no event")
        cluster = self._cluster(said[0].at_ms - LOADING_MS)
        try:
            return _Play(self, cluster, said, shown).whole()
        finally:
            cluster.close()

    def _cluster(self, start_ms: int) -> Cluster:
        rows = self.topics.of_parties(self.county.sources, self.county.parties, self.county.posts)
        return Cluster(self.seed, self.topics, rows, self.partitions, limits=LIMITS, broker=BROKER, start_ms=start_ms)


class _Play:
    """A run in progress."""

    def __init__(self, plan: Simulation, cluster: Cluster, said: Sequence[Said], shown: Shown) -> None:
        self.plan = plan
        self.cluster = cluster
        self.said = said
        self.shown = shown
        self.told = 0
        self.tally = Tally()
        self.players: Players = Nobody()
        if plan.answers == "prompt":
            self.players = Prompt(plan.seed, plan.county, cluster.time, self._say)
        self.worker = SoloWorker(cluster, self._committed)

    def whole(self) -> Outcome:
        first_ms, last_ms = self.said[0].at_ms, self.said[-1].at_ms
        limit_ms = last_ms - first_ms + LOADING_MS + AFTERWARDS_LIMIT_MS
        is_finished: bool = self.cluster.time.run_until(self._to_the_end(), limit_ms + LOOK_EVERY_MS, STEPS_LIMIT)
        return Outcome(
            reports=sum(one.is_report for one in self.said),
            virtual_ms=self.cluster.time.now_ms() - first_ms,
            tally=self.tally,
            open_deadlines=self.worker.open_deadlines,
            is_finished=is_finished,
            journal=self.cluster.broker.committed_records(self.plan.topics.journal),
        )

    async def _to_the_end(self) -> bool:
        """True when nothing is left that anybody means to say or the clock waits for; False at the limit."""
        time = self.cluster.time
        await self._load()
        for one in self.said:
            await self._sleep_until(one.at_ms)
            self._say(one)
            self.told += 1
        give_up_at_ms = time.now_ms() + AFTERWARDS_LIMIT_MS
        steps = -1
        while time.now_ms() < give_up_at_ms:
            is_quiet = not self.players.waiting and not self.worker.open_deadlines and steps == self.tally.steps
            if is_quiet:
                return True
            steps = self.tally.steps
            await self._sleep_until(time.now_ms() + LOOK_EVERY_MS)
        return False

    async def _sleep_until(self, at_ms: int) -> None:
        time = self.cluster.time
        while (left_ms := at_ms - time.now_ms()) > 0:
            await time.sleep(min(left_ms, LOOK_EVERY_MS))
            self.shown(Progress(time.now_ms(), self.told, len(self.said), self.tally))

    async def _load(self) -> None:
        """As `linkage county load` does: who may speak, then the reference data of each hub."""
        county, topics = self.plan.county, self.plan.topics
        for entry in county.registry():
            self._append(Outgoing(topics.registry, 0, entry.party.id.encode(), entry.model_dump_json().encode()))
        for _hub, message_id, message in events_to_load(county):
            attributes = wire.Attributes(message_id, county.post, message.type)
            self._say(Said(self.cluster.time.now_ms(), attributes, message.model_dump_json().encode()))
        await self.cluster.time.sleep(1)

    def _say(self, said: Said) -> None:
        self._append(said.outgoing(self.plan.topics))

    def _append(self, record: Outgoing) -> None:
        self.cluster.broker.append(TopicPartition(record.topic, record.partition), [record])

    def _committed(self, hub: str, facts: Sequence[StagedFact]) -> None:
        self.tally.take(hub, facts)
        self.players.take(hub, facts)
