"""A worker dies at every point of every port call, and the facts are those of the run in which it did not.

`make test` places a crash at every point of WHOLE and at every `EVERY`-th point of the other flows, each flow beginning
at another one; `LINKAGE_SOAK=1` (`make soak`) places one at every point of every flow.
"""

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

import pytest
import structlog

from linkage.cli.judging import judged
from linkage.cli.seed_runs import silence_loops
from linkage.simulation import crashes
from tests.behaviour.flows import FLOWS
from tests.simulation.quick_world import playing

SOAK = os.environ.get("LINKAGE_SOAK") == "1"
WHOLE = ("closing_gives_the_countys_team_back", "a_refused_message_may_be_mended_under_its_id")
EVERY = 37
PROCESSES = 2
KINDS_OF_POINTS = {
    "append.before",
    "append.after",
    "commit.before",
    "commit.after",
    "group_read.before",
    "group_read.after",
    "initialise.before",
    "initialise.after",
    "read.before",
    "read.after",
    "transact.before",
    "transact.sent_first",
    "transact.acknowledged",
    "transact.committed",
}
"""What must have been hit, whatever else was."""

Job = tuple[str, int, int]
"""(flow, the first point, every so many-th)"""


def crash(job: Job) -> tuple[str, list[str], list[str], int]:
    """(flow, the points that were hit, what went wrong, repetitions)."""
    name, first, every = job
    silence_loops()
    play = playing(FLOWS[name])
    expected = crashes.run(play, judge=judged)
    hit: list[str] = []
    repeats = 0
    wrong = [f"{name} without a crash: {one}" for one in expected.wrong]
    for nth in range(first, expected.points + 1, every):
        found = crashes.run(play, nth, judged)
        hit.append(found.crashed_at or "none")
        repeats += found.repeats
        wrong += [f"{name}, point {nth} ({found.crashed_at}): {one}" for one in crashes.differences(expected, found)]
    return name, hit, wrong, repeats


def jobs() -> list[Job]:
    if SOAK:
        return [(name, first, 4) for name in FLOWS for first in range(1, 5)]
    whole = [(name, first, 4) for name in WHOLE for first in range(1, 5)]
    return whole + [(name, 1 + number % EVERY, EVERY) for number, name in enumerate(FLOWS) if name not in WHOLE]


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """Runs silence the loops' log in their own process."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)


@pytest.mark.timeout(7_200)
def test_a_crash_at_any_point_changes_no_fact() -> None:
    """Nothing lost, nothing doubled, each order once; audit and verify are clean after each."""
    results = []
    with ProcessPoolExecutor(PROCESSES) as pool:
        for result in pool.map(crash, jobs()):
            results.append(result)
            print(f"{len(results)} of {len(jobs())} jobs, {result[0]}: {len(result[1])} crashes", flush=True)
    hit = [point for _, points, _, _ in results for point in points]
    wrong = [one for _, _, found, _ in results for one in found]
    print(f"\n{len(hit)} crashes in {len(FLOWS)} flows, {sum(repeats for *_, repeats in results)} repetitions")
    for kind in sorted(set(hit)):
        print(f"{kind:28} {hit.count(kind):6}")
    assert not wrong, "\n".join(wrong[:10])
    assert "none" not in hit
    assert set(hit) >= KINDS_OF_POINTS


@pytest.mark.parametrize("name", ["closing_stands_everybody_down_and_lifts_what_is_open"])
def test_a_crash_in_one_flow(name: str) -> None:
    """The same in a few seconds: every ninth point of one flow."""
    _, hit, wrong, _ = crash((name, 1, 9))
    assert not wrong, "\n".join(wrong[:10])
    assert len(hit) > 20
