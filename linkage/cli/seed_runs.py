"""Many seeds on several processes: what failed, made smaller; how often each kind of fault struck."""

import re
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field

from linkage.cli.judging import judged
from linkage.simulation import plans, seeds
from linkage.simulation.disorder import FaultLedger, Kind
from linkage.simulation.plans import Plan
from linkage.simulation.seeds import Outcome
from linkage.simulation.shrinking import shrunk

CHUNK_SEEDS = 5
KEPT_FAILURES = 20


@dataclass(frozen=True, slots=True)
class Failure:
    """A seed that failed, and the smaller plan that fails, too."""

    plan: Plan
    wrong: tuple[str, ...]

    @property
    def command(self) -> str:
        """What repeats it."""
        return f"linkage seeds --from {self.plan.seed} --count 1"

    def smaller_command(self, smaller: Plan) -> str:
        return (
            f"{self.command} --workers {smaller.workers} --only-faults {_listed(smaller.fault_numbers)} "
            f"--only-reports {_listed(smaller.reports)}"
        )

    def smaller(self) -> Plan:
        """Made smaller as long as something of the same sort fails; takes as many runs as it needs."""
        silence_loops()
        sort = _sort(self.wrong[0])
        return shrunk(self.plan, lambda plan: any(one.startswith(sort) for one in seeds.run(plan, judged).wrong))


def _sort(wrong: str) -> str:
    """What tells one sort of failure from another: its words up to the first number."""
    return (re.match(r"\D{0,60}", wrong) or [""])[0]


def _listed(numbers: tuple[int, ...]) -> str:
    return ",".join(str(number) for number in numbers) or "none"


@dataclass(slots=True)
class Tally:
    """The sum of many runs."""

    seeds: int = 0
    steps: int = 0
    facts: int = 0
    answers: int = 0
    reports: int = 0
    fewest_reports: int = sys.maxsize
    fewest_kinds: int = sys.maxsize
    """The fewest kinds of disorder that struck in one seed."""
    fenced_out: int = 0
    ledger: FaultLedger = field(default_factory=FaultLedger)
    types: dict[str, int] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    failed: int = 0

    def add(self, outcome: Outcome) -> None:
        self.seeds += 1
        self.steps += outcome.steps
        self.facts += outcome.facts
        self.answers += outcome.answers
        self.reports += len(outcome.plan.said)
        self.fewest_reports = min(self.fewest_reports, len(outcome.plan.said))
        kinds = sum(count > 0 for count in outcome.ledger.struck.values())
        self.fewest_kinds = min(self.fewest_kinds, kinds)
        self.fenced_out += outcome.fenced_out
        self.ledger.add(outcome.ledger)
        for name, count in outcome.types.items():
            self.types[name] = self.types.get(name, 0) + count
        if outcome.wrong:
            self.failed += 1
            if len(self.failures) < KEPT_FAILURES:
                self.failures.append(Failure(outcome.plan, tuple(outcome.wrong)))

    def lines(self) -> list[str]:
        """For people."""
        return [
            f"in one seed at least {self.fewest_reports} messages of sources, {self.fewest_kinds} kinds of disorder",
            f"{self.seeds} seeds, {self.failed} failed; {self.reports} messages of sources, {self.answers} of players, "
            f"{self.steps} steps, {self.facts} facts; {self.fenced_out} workers ended fenced",
            *self.ledger.lines(),
        ]

    def too_rare(self, floor: int) -> list[Kind]:
        """The kinds of faults that struck less often."""
        return self.ledger.below(floor)


def run_seed(seed: int) -> Outcome:
    """One whole seed, judged."""
    silence_loops()
    return seeds.run(plans.plan(seed), judged)


def run_seeds(first: int, count: int, processes: int) -> Iterator[Outcome]:
    """Their outcomes, in the order of the seeds, as they come."""
    numbers = range(first, first + count)
    if processes == 1:
        yield from map(run_seed, numbers)
        return
    with ProcessPoolExecutor(processes) as pool:
        yield from pool.map(run_seed, numbers, chunksize=CHUNK_SEEDS)


def silence_loops() -> None:
    """The loops warn of every fault they meet; here that is what they are for."""
    import logging

    import structlog

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
