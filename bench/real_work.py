"""Real calls: steps a second per core in `linkage simulate` and in a worker, µs by part, and what a report becomes.

`python -m bench.real_work [--calls 400]`. In the worker the parties answer at once, as fast as it decides: their own
computing is taken off, the sending and reading of what they say is not.
"""

import argparse
import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

from bench.calls import Calls, Run, imported, journal_records, simulated
from bench.measuring import ROUNDS, Measured, cluster, median_of, table
from bench.parts import by_part
from bench.quiet import quiet
from bench.worker import PARTITIONS, Bench, serving, until
from linkage import identity, wire
from linkage.client.registration import register
from linkage.county import events_to_load
from linkage.events.envelope import StagedFact
from linkage.runtime.log_identity import read_log_identities
from linkage.simulation.answers import Prompt
from linkage.simulation.run import PARTITIONS_COUNT
from linkage.simulation.said import Said
from linkage.worker import topic_admin

AIM_CALLS_PER_S = 2_000
MISSING = "The calls are not on this machine (`../shared/data/montco911`): this part was not measured."
QUIET_S = 2.0


class Hurried:
    """As much of a virtual time as the players ask: whatever is later is now."""

    def __init__(self) -> None:
        self.waiting: deque[Callable[[], None]] = deque()

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def call_later(self, _span_ms: int, callback: Callable[[], None]) -> None:
        self.waiting.append(callback)


class Players:
    """The parties of the calls' county, in the worker's process. `cpu_s`: what they computed."""

    def __init__(self, bench: Bench, calls: Calls) -> None:
        self.bench = bench
        self.time = Hurried()
        self.said: list[Said] = []
        self.prompt = Prompt(1, calls.county, self.time, self.said.append)  # type: ignore[arg-type]
        self.cpu_s = 0.0
        self.steps = 0

    def watch(self, member: Any) -> None:
        for lease in member.leases.values():
            lease.hub.on_committed = self._heard(lease.hub.on_committed)

    def _heard(
        self, before: Callable[[str, Sequence[StagedFact]], None]
    ) -> Callable[[str, Sequence[StagedFact]], None]:
        def committed(hub: str, facts: Sequence[StagedFact]) -> None:
            before(hub, facts)
            begun = time.thread_time()
            self.steps += 1
            self.prompt.take(hub, facts)
            self.cpu_s += time.thread_time() - begun

        return committed

    async def speak(self) -> bool:
        """Says what is due; False when nobody has anything to say."""
        begun = time.thread_time()
        for _ in range(len(self.time.waiting)):
            self.time.waiting.popleft()()
        records = [one.outgoing(self.bench.topics) for one in self.said]
        self.said.clear()
        self.cpu_s += time.thread_time() - begun
        for first in range(0, len(records), 500):
            await self.bench.log.append(records[first : first + 500])
        return bool(records)


async def in_worker(servers: str, calls: Calls, count: int) -> Measured:
    """The first `count` calls in a worker on Kafka, until everybody has answered and every incident is closed."""
    bench = Bench(servers)
    county, topics = calls.county, bench.topics
    rows = topics.of_parties(county.sources, county.parties, county.posts)
    await topic_admin.apply(bench.settings, rows, PARTITIONS, 1, 1)
    await topic_admin.write_log_identities(bench.log, topics, PARTITIONS)
    bench.log_ids = await read_log_identities(bench.log, topics, PARTITIONS)
    await register(bench.settings, county.registry())
    loads = [
        Said(0, wire.Attributes(message_id, county.post, message.type), message.model_dump_json().encode())
        for _, message_id, message in events_to_load(county)
    ]
    await bench.log.append([one.outgoing(topics) for one in loads])
    players = Players(bench, calls)
    async with serving(bench) as worker:
        players.watch(worker.member)
        await until(lambda: players.steps >= len(loads), worker.failures)
        players.steps, players.cpu_s = 0, 0.0
        await bench.log.append([one.outgoing(topics) for one in calls.said[:count]])
        measured = await _played(players, worker.failures)
    await bench.log.close()
    return measured


async def _played(players: Players, failures: Sequence[BaseException]) -> Measured:
    """From the first step to the last one before nobody has anything to say any more."""
    begun, cpu = time.perf_counter(), time.process_time()
    await until(lambda: players.steps > 0, failures)
    last, spent_s, steps = time.perf_counter(), 0.0, 0
    while time.perf_counter() - last < QUIET_S:
        if await players.speak() or players.steps != steps:
            last, steps = time.perf_counter(), players.steps
            spent_s = time.process_time() - cpu
        await asyncio.sleep(0.01)
    return Measured("worker", steps, last - begun, spent_s - players.cpu_s)


def section(servers: str, count: int, *, is_whole: bool = False) -> str:
    """The section of docs/performance.md. `is_whole`: every call of the file through `simulate`, once."""
    with imported() as calls:
        if calls is None:
            return MISSING
        if is_whole:
            return _whole(simulated(calls.county, calls.said))
        runs = [simulated(calls.county, calls.said[:count]) for _ in range(ROUNDS)]
        workers = [asyncio.run(in_worker(servers, calls, count)) for _ in range(ROUNDS)]
        return "\n\n".join(
            (
                f"The first {count} calls; everybody answers in time, posts close; medians of {ROUNDS} runs.",
                _rates(runs, median_of(workers), count),
                _parts(runs[0], median_of(workers)),
                _becomes(runs[0]),
            )
        )


def _whole(run: Run) -> str:
    tally = run.outcome.tally
    return (
        f"All {run.outcome.reports} calls, once: {tally.steps} steps in {run.cpu_s:.0f} s of CPU, "
        f"{run.steps_per_second:.0f} steps and {run.calls_per_second:.0f} calls a second per core; "
        f"{tally.opened} incidents opened, {tally.closed} closed, {sum(tally.refused.values())} refused."
    )


def _rates(runs: Sequence[Run], worker: Measured, count: int) -> str:
    steps, calls = median(one.steps_per_second for one in runs), median(one.calls_per_second for one in runs)
    in_worker = worker.events / worker.cpu_s
    rows = [
        ["`linkage simulate`", f"{steps:.0f}", f"{calls:.0f}", f"{1e6 / steps:.0f}"],
        ["a worker on Kafka", f"{in_worker:.0f}", f"{count / worker.cpu_s:.0f}", f"{1e6 / in_worker:.0f}"],
    ]
    head = ["where", "steps / s of CPU", "calls / s of CPU", "CPU µs / step"]
    held = "held" if calls >= AIM_CALLS_PER_S else "**missed**"
    half = "held" if count / worker.cpu_s >= AIM_CALLS_PER_S / 2 else "**missed**"
    per_call = runs[0].outcome.tally.steps / count
    return table(head, rows) + (
        f"\n\n- Aim: {AIM_CALLS_PER_S} calls a second per core in `simulate`: {held} ({calls:.0f}). A call is "
        f"{per_call:.1f} steps here, answers and closing included: {AIM_CALLS_PER_S} calls would be "
        f"{AIM_CALLS_PER_S * per_call:.0f} steps, {1e6 / AIM_CALLS_PER_S / per_call:.0f} µs for each.\n"
        f"- Aim: half of that in a worker: {half} ({count / worker.cpu_s:.0f})."
    )


def _parts(run: Run, worker: Measured) -> str:
    records = list(journal_records(run.outcome))
    log_ids = {identity.partition_of(one.hub, PARTITIONS_COUNT): one.inbox.log_id for one, _ in records}
    found = by_part(records, log_ids)
    whole = found["read"] + found["step"] + found["encode"]
    stages = sorted(part for part in found if part.startswith("decide "))
    order = ["read", *stages, "evolve", "route", "engine", "encode"]
    rows = [[part, f"{found[part]:.1f}"] for part in order]
    rows.append(["**the step, Kafka aside**", f"**{whole:.1f}**"])
    rest = worker.cpu_s / worker.events * 1e6 - whole
    rows.append(["Kafka, ingress, clock, stage publisher (the worker's rest)", f"{rest:.1f}"])
    return table(["part of a step", "µs"], rows)


def _becomes(run: Run) -> str:
    reports, tally = run.outcome.reports, run.outcome.tally
    records = list(journal_records(run.outcome))
    messages = sum(len(one.sent) for one, _ in records)
    size = sum(len(raw) for _, raw in records)
    return (
        f"A report becomes {tally.steps / reports:.1f} steps, {tally.facts / reports:.1f} facts, "
        f"{messages / reports:.1f} messages and {size / reports:,.0f} bytes of journal, "
        "from its coming until everybody is back."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=400)
    parser.add_argument("--whole", action="store_true", help="every call of the file, in `simulate` only")
    parser.add_argument("--bootstrap-servers", help="a cluster that exists; otherwise one is started and stopped")
    told = parser.parse_args()
    quiet()
    if told.whole:
        print(section("", 0, is_whole=True))
        return
    with cluster(told.bootstrap_servers) as servers:
        print(section(servers, told.calls))


if __name__ == "__main__":
    main()
