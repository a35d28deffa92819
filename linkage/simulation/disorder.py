"""What goes wrong in a run, drawn from a seed: faults at planned instants, senders that repeat, delay and overtake.

Planned is not struck: a fault counts in the ledger only when it really met somebody.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from random import Random  # noqa: TID251 (the simulation's own seeded chance)

from linkage.errors import LogError
from linkage.runtime.ports import Log, Outgoing, Time


class Kind(StrEnum):
    """Every kind of disorder."""

    DELIVERED_TWICE = "delivered_twice"
    LATE = "late"
    REORDERED = "reordered"
    WORKER_KILLED = "worker_killed"
    WORKER_CRASHED_AT_POINT = "worker_crashed_at_point"
    WORKER_PAUSED = "worker_paused"
    ZOMBIE = "zombie"
    WORKER_CUT_OFF = "worker_cut_off"
    PARTITION_MOVED = "partition_moved"
    BROKER_OUTAGE = "broker_outage"
    TOPIC_OUTAGE = "topic_outage"
    CLOCK_JUMP = "clock_jump"
    READ_FAILED = "read_failed"
    COMMIT_UNKNOWN_DONE = "commit_unknown_done"
    COMMIT_UNKNOWN_UNDONE = "commit_unknown_undone"
    COMMIT_DELAYED = "commit_delayed"
    PRODUCE_LOST = "produce_lost"
    APPEND_UNKNOWN_DONE = "append_unknown_done"
    APPEND_UNKNOWN_UNDONE = "append_unknown_undone"
    APPEND_DELAYED = "append_delayed"


SENDER_KINDS = (Kind.DELIVERED_TWICE, Kind.LATE, Kind.REORDERED)
PLANNED_KINDS = tuple(kind for kind in Kind if kind not in (*SENDER_KINDS, Kind.WORKER_CRASHED_AT_POINT))


class FaultLedger:
    """How often each kind was planned and how often it struck."""

    def __init__(self) -> None:
        self.planned: dict[Kind, int] = dict.fromkeys(Kind, 0)
        self.struck: dict[Kind, int] = dict.fromkeys(Kind, 0)

    def plan(self, kind: Kind) -> None:
        self.planned[kind] += 1

    def strike(self, kind: Kind) -> None:
        self.struck[kind] += 1

    def add(self, other: "FaultLedger") -> None:
        """Sums up runs."""
        for kind in Kind:
            self.planned[kind] += other.planned[kind]
            self.struck[kind] += other.struck[kind]

    def below(self, least: int, kinds: Iterable[Kind] = tuple(Kind)) -> list[Kind]:
        """The kinds that struck less often than that."""
        return [kind for kind in kinds if self.struck[kind] < least]

    def lines(self) -> list[str]:
        return [f"{kind:24} struck {self.struck[kind]:7} of {self.planned[kind]:7} planned" for kind in Kind]


@dataclass(frozen=True, slots=True)
class Fault:
    """One planned fault. `target`: a worker's or a topic's name, or a lease partition's number; else empty."""

    at_ms: int
    kind: Kind
    target: str = ""
    span_ms: int = 0
    """Until it is over: the restart after a kill, the end of a pause or outage, how late a delayed request comes."""
    jump_ms: int = 0


@dataclass(frozen=True, slots=True)
class FaultRanges:
    """How long faults last: (shortest, longest). A zombie's pause must outlast the session time-out."""

    restart_ms: tuple[int, int] = (0, 20_000)
    pause_ms: tuple[int, int] = (100, 5_000)
    zombie_ms: tuple[int, int] = (6_500, 40_000)
    outage_ms: tuple[int, int] = (500, 30_000)
    delay_ms: tuple[int, int] = (50, 15_000)
    jump_ms: tuple[int, int] = (-7_200_000, 7_200_000)
    armed_ms: int = 60_000
    """How long a fate waits for a request to meet, and a wrong clock to be read."""


def planned(
    seed: int,
    count: int,
    span_ms: int,
    workers: Sequence[str],
    topics: Sequence[str],
    leases: int,
    kinds: Sequence[Kind] = PLANNED_KINDS,
    ranges: FaultRanges | None = None,
) -> tuple[Fault, ...]:
    """`count` faults within `span_ms`, by instant. The same arguments give the same plan."""
    chance = Random(f"{seed}:faults")
    limits = ranges or FaultRanges()
    spans: Mapping[Kind, tuple[int, int]] = {
        Kind.WORKER_KILLED: limits.restart_ms,
        Kind.WORKER_PAUSED: limits.pause_ms,
        Kind.ZOMBIE: limits.zombie_ms,
        Kind.WORKER_CUT_OFF: limits.outage_ms,
        Kind.BROKER_OUTAGE: limits.outage_ms,
        Kind.TOPIC_OUTAGE: limits.outage_ms,
        Kind.COMMIT_DELAYED: limits.delay_ms,
        Kind.APPEND_DELAYED: limits.delay_ms,
        Kind.CLOCK_JUMP: (limits.armed_ms, limits.armed_ms),
    }
    faults: list[Fault] = []
    for _ in range(count):
        kind = chance.choice(kinds)
        targets = {Kind.TOPIC_OUTAGE: topics, Kind.PARTITION_MOVED: [str(number) for number in range(leases)]}
        target = "" if kind is Kind.BROKER_OUTAGE else chance.choice(targets.get(kind, workers))
        span = chance.randint(*spans.get(kind, (0, 0)))
        jump = chance.randint(*limits.jump_ms) if kind is Kind.CLOCK_JUMP else 0
        faults.append(Fault(chance.randrange(span_ms), kind, target, span, jump))
    return tuple(sorted(faults, key=lambda fault: fault.at_ms))


@dataclass(frozen=True, slots=True)
class Publication:
    """What a sender outside publishes `at_ms` from the start of the run."""

    at_ms: int
    sender: str
    records: tuple[Outgoing, ...]
    kinds: tuple[Kind, ...] = field(default=())
    """What the disorder did to it."""


@dataclass(frozen=True, slots=True)
class SenderDisorder:
    """Which share of the publications is hit, and by how much."""

    twice_share: float = 0.05
    late_share: float = 0.05
    reordered_share: float = 0.05
    late_limit_ms: int = 600_000


def disturbed(
    publications: Sequence[Publication], seed: int, disorder: SenderDisorder, ledger: FaultLedger
) -> list[Publication]:
    """The same publications, some twice, some late, some changed places with the next of another sender; by instant."""
    chance = Random(f"{seed}:senders")
    ordered = sorted(publications, key=lambda publication: publication.at_ms)
    for index in range(len(ordered) - 1):
        first, second = ordered[index : index + 2]
        if first.sender != second.sender and first.at_ms < second.at_ms and chance.random() < disorder.reordered_share:
            ordered[index] = replace(second, at_ms=first.at_ms, kinds=(*second.kinds, Kind.REORDERED))
            ordered[index + 1] = replace(first, at_ms=second.at_ms)
    sent: list[Publication] = []
    for publication in ordered:
        if chance.random() < disorder.twice_share:
            delay_ms = chance.randint(0, disorder.late_limit_ms)
            again = (*publication.kinds, Kind.DELIVERED_TWICE)
            sent.append(replace(publication, at_ms=publication.at_ms + delay_ms, kinds=again))
        if chance.random() < disorder.late_share:
            delay_ms = chance.randint(1, disorder.late_limit_ms)
            late = (*publication.kinds, Kind.LATE)
            sent.append(replace(publication, at_ms=publication.at_ms + delay_ms, kinds=late))
        else:
            sent.append(publication)
    for publication in sent:
        for kind in publication.kinds:
            ledger.plan(kind)
    return sorted(sent, key=lambda publication: publication.at_ms)


async def publish(
    publications: Sequence[Publication],
    log: Log,
    time: Time,
    ledger: FaultLedger,
    published: Callable[[Publication], None] = lambda publication: None,
) -> None:
    """Publishes each at its instant, again until it is acknowledged: at least once, as a sender with an outbox does."""
    for publication in publications:
        await time.sleep(max(0, publication.at_ms - time.monotonic_ms()))
        while True:
            try:
                await log.append(publication.records)
            except LogError:
                await time.sleep(1_000)
                continue
            break
        for kind in publication.kinds:
            ledger.strike(kind)
        published(publication)
