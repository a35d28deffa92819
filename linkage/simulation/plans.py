"""What is to happen in a run, drawn from its seed: who reports what and when, and what goes wrong.

A plan can be made smaller by leaving out reports and faults by their numbers; what is left is unchanged.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random  # noqa: TID251 (the simulation's own seeded chance)

from linkage.events.base import Counts, Place, instant
from linkage.events.inbound import AnswerOrder, CloseIncident, ReportIncident
from linkage.runtime.ports import Outgoing
from linkage.simulation.disorder import (
    PLANNED_KINDS,
    Fault,
    FaultLedger,
    FaultRanges,
    Kind,
    Publication,
    SenderDisorder,
    disturbed,
    planned,
)
from linkage.simulation.players import outgoing
from linkage.simulation.small_county import COUNTY, SLIDE, TOWNSHIPS, VILLAGE
from linkage.simulation.virtual_time import START_MS
from linkage.topics import Topics

REPORTS_LEAST_COUNT, REPORTS_MOST_COUNT = 50, 54
SPAN_MS = 900_000
"""In which everything is reported and every fault begins."""
FAULTS_LEAST_COUNT, FAULTS_MOST_COUNT = 5, 9
WORKERS = (1, 2, 2, 3, 3)
PARTITIONS_COUNT = 3
"""Each of the three hubs in one of its own."""
POINT_LIMIT = 4_000
FAULT_KINDS = (*PLANNED_KINDS, Kind.WORKER_CRASHED_AT_POINT)
SENDERS = SenderDisorder(late_limit_ms=120_000)
ON_THE_BORDER = {"latitude": 30.1, "longitude": 110.05}
"""So that both townships hear of it, and the county links what is one event."""
PLACES = ("quarry", "bridge")
SOURCES = ("grid", "hotline")
TOPICS = Topics("sim")


@dataclass(frozen=True, slots=True)
class Plan:
    """One run. `numbers` are those of `said` in the whole plan, so that a smaller plan can be named."""

    seed: int
    workers: int
    said: tuple[Publication, ...]
    faults: tuple[Fault, ...]
    reports: tuple[int, ...]
    fault_numbers: tuple[int, ...]

    def only(self, reports: Sequence[int], faults: Sequence[int], workers: int | None = None) -> "Plan":
        """The plan without the others. `reports` and `faults` are numbers of the whole plan."""
        said = dict(zip(self.reports, self.said, strict=True))
        struck = dict(zip(self.fault_numbers, self.faults, strict=True))
        return replace(
            self,
            workers=workers or self.workers,
            said=tuple(said[number] for number in reports),
            faults=tuple(struck[number] for number in faults),
            reports=tuple(reports),
            fault_numbers=tuple(faults),
        )

    def lines(self) -> list[str]:
        """The plan, for people: each fault and report by its number and instant."""
        said = [
            f"  report {number} at {one.at_ms} ms by {one.sender}: "
            f"{', '.join(dict(record.headers).get('ce_id', b'bytes').decode() for record in one.records)}"
            f"{' (' + ', '.join(one.kinds) + ')' if one.kinds else ''}"
            for number, one in zip(self.reports, self.said, strict=True)
        ]
        faults = [
            f"  fault {number} at {one.at_ms} ms: {one.kind} {one.target} for {one.span_ms} ms"
            f"{f', by {one.jump_ms} ms' if one.jump_ms else ''}"
            for number, one in zip(self.fault_numbers, self.faults, strict=True)
        ]
        return [f"seed {self.seed}, {self.workers} workers", *faults, *said]


def plan(seed: int) -> Plan:
    """The whole plan of a seed. The same seed gives the same plan, in every process."""
    chance = Random(f"{seed}:plan")
    count = chance.randint(REPORTS_LEAST_COUNT, REPORTS_MOST_COUNT)
    said = [_said(chance, number) for number in range(count)] + [_junk(chance, number) for number in range(3)]
    sent = disturbed(said, seed, SENDERS, FaultLedger())
    workers = chance.choice(WORKERS)
    faults = _faults(seed, chance.randint(FAULTS_LEAST_COUNT, FAULTS_MOST_COUNT), workers)
    return Plan(seed, workers, tuple(sent), faults, tuple(range(len(sent))), tuple(range(len(faults))))


def _faults(seed: int, count: int, workers: int) -> tuple[Fault, ...]:
    """Kinds in turn from seed to seed, so that each comes as often as any other."""
    kinds = [FAULT_KINDS[(seed * 7 + number * 5) % len(FAULT_KINDS)] for number in range(count)]
    names = [f"worker-{number}" for number in range(workers)]
    ranges = FaultRanges()
    topics = [TOPICS.inbox, TOPICS.journal, TOPICS.report("grid"), TOPICS.dispatch("health"), TOPICS.command(COUNTY)]
    topics += [TOPICS.reply("health"), TOPICS.reply(TOWNSHIPS[0]), TOPICS.dispatch(TOWNSHIPS[0]), TOPICS.registry]
    topics.append(TOPICS.stage("dispatch"))
    faults: list[Fault] = []
    for number, kind in enumerate(kinds):
        if kind is Kind.WORKER_CRASHED_AT_POINT:
            chance = Random(f"{seed}:{number}:point")
            at_ms, point = chance.randrange(SPAN_MS), chance.randint(1, 60)
            span_ms = chance.randint(*ranges.restart_ms)
            faults.append(Fault(at_ms, kind, f"{chance.choice(names)}:{point}", span_ms))
        else:
            drawn = seed * 1_000 + number
            faults += planned(drawn, 1, SPAN_MS, names, topics, PARTITIONS_COUNT, (kind,), ranges)
    return tuple(sorted(faults, key=lambda fault: fault.at_ms))


def _said(chance: Random, number: int) -> Publication:
    """A report: most of a known place, some of none, some a revision of an earlier one."""
    sender = SOURCES[number % len(SOURCES)]
    at_ms = chance.randrange(SPAN_MS)
    township = chance.choice(TOWNSHIPS)
    draw = chance.random()
    if draw < 0.08:
        place = Place(words="somewhere by the river")
    elif draw < 0.92:
        place = Place(township=township, village=VILLAGE[township])
    else:
        place = Place(township=township, words=chance.choice(PLACES), **ON_THE_BORDER)
    dead = chance.choice((0, 0, 0, 1, None))
    earlier = [f"r{before}" for before in range(number % len(SOURCES), number, len(SOURCES))]
    revised = chance.choice(earlier) if earlier and chance.random() < 0.15 else None
    report = ReportIncident(
        occurred_at=instant(START_MS + at_ms - chance.randrange(120_000)),
        kind=SLIDE if chance.random() < 0.95 else "soc.other",
        place=place,
        counts=Counts(people_at_risk=chance.choice((10, 10, 50, 50, 50, 120)), dead=dead),
        summary=f"report {number}",
        supersedes=revised,
    )
    record = outgoing(TOPICS.report(sender), report, f"r{number}", sender)
    return Publication(at_ms, sender, (record,))


def _junk(chance: Random, number: int) -> Publication:
    """What must be refused and must block nobody: bytes, another's word, an answer to nothing."""
    at_ms = chance.randrange(SPAN_MS)
    match number:
        case 0:
            return Publication(at_ms, "grid", (Outgoing(TOPICS.report("grid"), 0, None, b"\xff\xfe not json"),))
        case 1:
            close = CloseIncident(incident_id="I-none", reason="x", signed_by="x")
            return Publication(at_ms, "hotline", (outgoing(TOPICS.report("hotline"), close, "junk", "hotline"),))
        case _:
            answer = AnswerOrder.model_validate(
                {"order_id": "O-none", "hub": chance.choice(TOWNSHIPS), "answer": "done"}
            )
            return Publication(at_ms, "health", (outgoing(TOPICS.reply("health"), answer, "nobody", "health"),))
