"""Disorder that can be repeated, and a loop that must stay exact in it: the simulation under its own test."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from linkage.runtime.ports import TopicPartition
from linkage.simulation.disorder import (
    PLANNED_KINDS,
    Fault,
    FaultLedger,
    Kind,
    SenderDisorder,
    disturbed,
    planned,
)
from tests.simulation.toy_hub import ToyRun, ToyWorker

SEEDS = 25


def test_a_loop_that_is_exact_stays_exact_in_all_disorder() -> None:
    """Each message once in the orders, for every seed; every kind of disorder struck, or this shows nothing."""
    total = FaultLedger()
    for seed in range(SEEDS):
        run = ToyRun(seed, faults_count=12)
        run.run()
        assert sorted(run.orders()) == run.expected, f"seed {seed}: {run.faults}"
        total.add(run.ledger)
    assert total.below(1, (*PLANNED_KINDS, Kind.DELIVERED_TWICE, Kind.LATE, Kind.REORDERED)) == []
    assert all(total.struck[kind] <= total.planned[kind] for kind in Kind), total.lines()


class OneTooEarly(ToyWorker):
    """Resumes one record too early and forgets what it has seen."""

    async def fold(self, journal: TopicPartition) -> tuple[set[bytes], int]:
        _, next_offset = await super().fold(journal)
        return set(), max(0, next_offset - 1)


class OneTooLate(ToyWorker):
    """Resumes one record too late."""

    async def fold(self, journal: TopicPartition) -> tuple[set[bytes], int]:
        seen, next_offset = await super().fold(journal)
        return seen, next_offset + 1


@pytest.mark.parametrize("worker", [OneTooEarly, OneTooLate])
def test_a_loop_that_is_not_exact_is_caught(worker: type[ToyWorker]) -> None:
    """The same disorder finds a loop that recovers from the wrong position, within three seeds."""
    runs = [ToyRun(seed, faults_count=12, worker=worker) for seed in range(3)]
    for run in runs:
        run.run()
    assert any(sorted(run.orders()) != run.expected for run in runs)


@pytest.mark.parametrize("hash_seed", ["0", "4711"])
def test_the_same_seed_gives_the_same_run_in_another_process(hash_seed: str) -> None:
    """To the last step and byte, whatever the hash seed."""
    here = ToyRun(7, faults_count=12)
    here.run()
    there = "from tests.simulation.toy_hub import ToyRun; run = ToyRun(7, faults_count=12); run.run(); "
    answer = subprocess.run(
        [sys.executable, "-c", there + "print(run.digest(), len(run.trace))"],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        cwd=Path(__file__).parents[2],
    )
    assert answer.stdout.split() == [str(here.digest()), str(len(here.trace))]


def test_another_seed_gives_another_run() -> None:
    """Else all seeds would be one."""
    digests = set()
    for seed in (1, 2):
        run = ToyRun(seed, faults_count=3, publications_count=5)
        run.run()
        digests.add(run.digest())
    assert len(digests) == 2


def test_a_plan_is_its_seeds() -> None:
    """The same arguments give the same plan; every kind is in a plan that is long enough."""
    arguments = (500, 1_000_000, ["a", "b"], ["orders"], 4)
    assert planned(1, *arguments) == planned(1, *arguments)
    assert planned(1, *arguments) != planned(2, *arguments)
    assert {fault.kind for fault in planned(1, *arguments)} == set(PLANNED_KINDS)


def test_senders_disorder_loses_nothing() -> None:
    """Whatever is doubled, delayed or overtaken: every publication is sent, and what is counted is what was done."""
    run = ToyRun(1, faults_count=0)
    ledger = FaultLedger()
    before = run.publications
    sent = disturbed(before, 1, SenderDisorder(0.3, 0.3, 0.3), ledger)
    assert {publication.records for publication in sent} == {publication.records for publication in before}
    assert len(sent) - len(before) == ledger.planned[Kind.DELIVERED_TWICE] > 5
    assert ledger.planned[Kind.LATE] > 5
    assert ledger.planned[Kind.REORDERED] > 5
    assert sent == sorted(sent, key=lambda publication: publication.at_ms)


def test_a_fault_that_met_nobody_does_not_count() -> None:
    """A worker killed twice was killed once; a commit lost while nobody commits was not lost."""
    run = ToyRun(1, faults_count=0, publications_count=1)
    run.faults = (
        Fault(40_000, Kind.WORKER_KILLED, "worker-0", 60_000),
        Fault(50_000, Kind.WORKER_KILLED, "worker-0", 60_000),
        Fault(60_000, Kind.COMMIT_UNKNOWN_DONE, "worker-1"),
        Fault(60_000, Kind.ZOMBIE, "worker-0", 10_000),
    )
    run.run()
    assert run.ledger.planned[Kind.WORKER_KILLED] == 2
    assert run.ledger.struck[Kind.WORKER_KILLED] == 1
    assert run.ledger.struck[Kind.COMMIT_UNKNOWN_DONE] == 0
    assert run.ledger.struck[Kind.ZOMBIE] == 0
