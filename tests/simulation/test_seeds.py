"""Many seeds, each a county broken in its own way; afterwards nothing is lost, doubled or left open.

`make test` runs TEST_SEEDS, `LINKAGE_SOAK=1` (`make soak`) SOAK_SEEDS.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from typer.testing import CliRunner

from linkage.cli import app
from linkage.cli.judging import journal_of
from linkage.cli.seed_runs import Tally, run_seed, run_seeds
from linkage.simulation import plans, seeds
from linkage.simulation.cluster import Cluster
from linkage.simulation.plans import REPORTS_LEAST_COUNT, Plan
from linkage.simulation.shrinking import shrunk

TEST_SEEDS, SOAK_SEEDS = 500, 20_000
FLOOR = 100
"""So often each kind of fault must have struck in all."""
PROCESSES = 2
KINDS_LEAST_COUNT = 3
TOLD_EVERY = 250
BETWEEN_HUBS = ("CountyTeamRequested", "TeamRequestTaken", "CountyTeamPromised", "TeamRequestUnmet", "LentTeamChanged")
HASH_SEEDS = ("0", "4711")


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """Runs silence the loops' log in their own process."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)


@pytest.mark.timeout(36_000)
def test_every_seed_ends_exact() -> None:
    """Audit and verify are clean, every deadline has ended, every team is back; and every kind of fault did strike."""
    count = SOAK_SEEDS if os.environ.get("LINKAGE_SOAK") == "1" else TEST_SEEDS
    tally = Tally()
    for number, outcome in enumerate(run_seeds(0, count, PROCESSES), 1):
        tally.add(outcome)
        if number % TOLD_EVERY == 0:
            print(f"{number} of {count} seeds, {tally.failed} failed", flush=True)
    print("\n" + "\n".join(tally.lines()))
    assert tally.failed == 0, _told(tally)
    assert tally.too_rare(FLOOR) == []
    assert tally.fewest_reports >= REPORTS_LEAST_COUNT
    assert tally.fewest_kinds >= KINDS_LEAST_COUNT
    assert [name for name in BETWEEN_HUBS if tally.types.get(name, 0) < FLOOR] == []


@pytest.mark.parametrize("seed", range(8))
def test_a_few_seeds(seed: int) -> None:
    """The same in a few seconds."""
    assert run_seed(seed).wrong == []


def _told(tally: Tally) -> str:
    """Every failing seed with its command; the first one made smaller."""
    lines = [f"{one.command}\n    {one.wrong[0]}" for one in tally.failures]
    smaller = tally.failures[0].smaller()
    command = tally.failures[0].smaller_command(smaller)
    return "\n".join(["repeat with:", *lines, "a smaller plan that fails:", *smaller.lines(), command])


DIGEST = """
import sys
from tests.simulation.test_seeds import digest
print(digest(int(sys.argv[1])))
"""


def digest(seed: int) -> str:
    """Everything a seed's journal says."""
    import hashlib

    found = hashlib.sha256()

    def keep(cluster: Cluster) -> None:
        for entry in journal_of(cluster):
            found.update(entry.raw)

    seeds.run(plans.plan(seed), lambda cluster: [], keep)
    return found.hexdigest()


@pytest.mark.parametrize("seed", [3, 4])
def test_a_seed_is_the_same_in_every_process(seed: int) -> None:
    """The same journal, byte for byte, whatever the hash seed: so a failing seed can be repeated, and nothing hangs
    on the order of a set."""
    digests = {_digest_elsewhere(seed, hash_seed) for hash_seed in HASH_SEEDS}
    assert len(digests) == 1


def _digest_elsewhere(seed: int, hash_seed: str) -> str:
    answer = subprocess.run(
        [sys.executable, "-c", DIGEST, str(seed)],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
        cwd=Path(__file__).parents[2],
    )
    return answer.stdout.split()[-1]


def test_a_plan_made_smaller_fails_still() -> None:
    """Whatever is needed for the failure stays, all the rest goes."""
    whole = plans.plan(1)
    needed = (whole.reports[7], whole.reports[31])

    def fails(plan: Plan) -> bool:
        return set(needed) <= set(plan.reports) and whole.fault_numbers[2] in plan.fault_numbers

    smaller = shrunk(whole, fails)
    assert smaller.reports == needed
    assert smaller.fault_numbers == (whole.fault_numbers[2],)
    assert smaller.workers == 1


def test_what_is_left_of_a_plan_is_unchanged() -> None:
    """A smaller plan has the same reports and faults at the same instants, so it can be named by numbers."""
    whole = plans.plan(2)
    part = whole.only(whole.reports[10:12], whole.fault_numbers[:1], 1)
    assert part.said == whole.said[10:12]
    assert part.faults == whole.faults[:1]


def test_a_seed_without_faults_ends_exact() -> None:
    """Without faults a seed ends exact, too: what the others show is due to the faults alone."""
    for seed in (1, 2):
        outcome = run_seed(seed)
        quiet = seeds.run(outcome.plan.only(outcome.plan.reports, ()), lambda cluster: [])
        assert outcome.wrong == quiet.wrong == []


def test_the_command_repeats_part_of_a_seed() -> None:
    """What a failing seed prints can be typed: one worker, one fault, no report."""
    arguments = ["--from", "3", "--count", "1", "--workers", "1", "--only-faults", "1", "--only-reports", "none"]
    result = CliRunner().invoke(app, ["seeds", *arguments])
    assert result.exit_code == 0, result.output
    assert "seed 3, 1 workers" in result.output
    assert result.output.count("fault ") == 1


def test_the_command_fails_when_a_kind_of_fault_never_struck() -> None:
    """One seed can't have met every kind: with a floor that is a failure, and the missing kinds are named."""
    result = CliRunner().invoke(app, ["seeds", "--count", "1", "--processes", "1", "--floor", "1"])
    assert result.exit_code == 1
    assert "struck less than 1 times" in result.output


def test_the_command_knows_what_a_plan_has() -> None:
    """A number that the plan does not have is a wrong usage."""
    assert CliRunner().invoke(app, ["seeds", "--from", "3", "--only-faults", "99"]).exit_code == 2
