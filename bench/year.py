"""A simulated year: the file's calls, repeated with shifted dates, through the real loops.

`python -m bench.year [--per-day 385] [--days 365]`. What must stay flat: resident memory, what the hubs remember, the
CPU time of a step. The log in memory drops what every loop has passed, as retention would.
"""

import argparse
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from statistics import mean, median
from typing import Any

from immutables import Map

from bench.calls import Calls, imported
from bench.document import DOCUMENT
from bench.measuring import table
from bench.plot import Panel, plot
from bench.quiet import quiet
from bench.real_work import MISSING
from linkage import wire
from linkage.agents import STAGES
from linkage.agents.deadlines import Book
from linkage.agents.over import Over
from linkage.county import events_to_load
from linkage.engine import Hub
from linkage.events.envelope import StagedFact
from linkage.events.inbound import ReportIncident
from linkage.runtime.ports import Outgoing, TopicPartition
from linkage.simulation.answers import Prompt
from linkage.simulation.cluster import Cluster
from linkage.simulation.run import BROKER, LIMITS, LOADING_MS, PARTITIONS_COUNT
from linkage.simulation.said import Said
from linkage.simulation.solo_worker import SoloWorker
from linkage.topics import Topics

DAY_MS = 86_400_000
PER_DAY, DAYS = 385, 365
"""The file's own rate."""
YEAR_LIMIT_STEPS = 10**10
PICTURE = DOCUMENT.with_name("year.svg")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass
class Day:
    """A day's end. `remembered`: entries of the hubs' states, by stage and name."""

    steps: int
    cpu_s: float
    rss_mib: float
    remembered: dict[str, int]

    @property
    def step_us(self) -> float:
        return self.cpu_s / max(1, self.steps) * 1e6


def year_of(calls: Calls, per_day: int, days: int) -> Iterator[Said]:
    """So many calls a day, at most all, evenly thinned, repeated until the days are full; ids and dates shifted."""
    first_ms, last_ms = calls.said[0].at_ms, calls.said[-1].at_ms
    span_days = (last_ms - first_ms) // DAY_MS + 1
    every = max(1, len(calls.said) // (span_days * per_day))
    thin = calls.said[::every]
    for again in range(days // span_days + 1):
        shift_ms = again * span_days * DAY_MS
        for one in thin:
            if one.at_ms + shift_ms < first_ms + days * DAY_MS:
                yield _shifted(one, again, shift_ms)


def _shifted(one: Said, again: int, shift_ms: int) -> Said:
    report = ReportIncident.model_validate_json(one.data)
    if report.occurred_at is not None:
        report = report.model_copy(update={"occurred_at": report.occurred_at + timedelta(milliseconds=shift_ms)})
    attributes = wire.Attributes(f"{one.attributes.id}-{again}", one.attributes.source, one.attributes.type)
    return Said(one.at_ms + shift_ms, attributes, report.model_dump_json().encode())


@dataclass
class Year:
    """The run. `days` grows."""

    calls: Calls
    said: Sequence[Said]
    days: list[Day] = field(default_factory=list)
    steps: int = 0
    topics: Topics = field(default_factory=Topics)

    def __post_init__(self) -> None:
        county = self.calls.county
        rows = self.topics.of_parties(county.sources, county.parties, county.posts)
        begins = self.said[0].at_ms - LOADING_MS
        self.cluster = Cluster(1, self.topics, rows, PARTITIONS_COUNT, limits=LIMITS, broker=BROKER, start_ms=begins)
        self.players = Prompt(1, county, self.cluster.time, self._say)
        self.worker = SoloWorker(self.cluster, self._committed)

    def run(self) -> None:
        span_ms = self.said[-1].at_ms - self.said[0].at_ms + 3 * DAY_MS
        self.cluster.time.run_until(self._played(), span_ms, YEAR_LIMIT_STEPS)
        self.cluster.close()

    async def _played(self) -> None:
        self._load()
        ends_ms = self.said[0].at_ms + DAY_MS
        cpu, steps = time.process_time(), 0
        for one in self.said:
            while one.at_ms >= ends_ms:
                await self._sleep_until(ends_ms)
                self.days.append(Day(self.steps - steps, time.process_time() - cpu, _rss_mib(), self._remembered()))
                self._forget_passed()
                ends_ms += DAY_MS
                cpu, steps = time.process_time(), self.steps
            await self._sleep_until(one.at_ms)
            self._say(one)

    async def _sleep_until(self, at_ms: int) -> None:
        left_ms = at_ms - self.cluster.time.now_ms()
        if left_ms > 0:
            await self.cluster.time.sleep(left_ms)

    def _load(self) -> None:
        county = self.calls.county
        for entry in county.registry():
            value = entry.model_dump_json().encode()
            self._append(Outgoing(self.topics.registry, 0, entry.party.id.encode(), value))
        for _, message_id, message in events_to_load(county):
            attributes = wire.Attributes(message_id, county.post, message.type)
            self._say(Said(self.cluster.time.now_ms(), attributes, message.model_dump_json().encode()))

    def _say(self, said: Said) -> None:
        self._append(said.outgoing(self.topics))

    def _append(self, record: Outgoing) -> None:
        self.cluster.broker.append(TopicPartition(record.topic, record.partition), [record])

    def _committed(self, hub: str, facts: Sequence[StagedFact]) -> None:
        self.steps += 1
        self.players.take(hub, facts)

    def _forget_passed(self) -> None:
        """Retention: what every loop has passed leaves the log."""
        broker, positions = self.cluster.broker, dict(self.worker.ingress.committed)
        for number, hub in enumerate(self.worker.hubs):
            positions[TopicPartition(self.topics.inbox, number)] = hub.state.position + 1
        for name, topic in broker.topics.items():
            if name == self.topics.registry:
                continue
            for partition in topic.partitions:
                at = TopicPartition(name, partition.number)
                is_read = name == self.topics.inbox or self.topics.inbound_of(name) is not None
                broker.delete_records(at, positions.get(at, 0) if is_read else partition.end)

    def _remembered(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for loop in self.worker.hubs:
            for hub in loop.state.hubs.values():
                for name, count in _sizes(hub):
                    found[name] = found.get(name, 0) + count
        return found


def _sizes(hub: Hub) -> Iterator[tuple[str, int]]:
    yield "reception.memory", len(hub.reception.memory)
    yield "reception.days", len(hub.reception.days)
    for stage, state in zip(STAGES, hub.stages, strict=True):
        yield from _of_state(stage.name, state)


def _of_state(name: str, state: Any) -> Iterator[tuple[str, int]]:
    for field_name, content in state._asdict().items():
        if isinstance(content, Book | Over):
            yield from _of_state(f"{name}.{field_name}", content)
        elif isinstance(content, Map | tuple):
            yield f"{name}.{field_name}", len(content)


def _rss_mib() -> float:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * PAGE_BYTES / 2**20


def section(per_day: int, days: int) -> str:
    """The section of docs/performance.md; draws its picture."""
    with imported() as calls:
        if calls is None:
            return MISSING
        year = Year(calls, tuple(year_of(calls, per_day, days)))
    begun = time.process_time()
    year.run()
    _draw(year)
    return _told(year, time.process_time() - begun)


def _draw(year: Year) -> None:
    days = year.days
    names = sorted(days[-1].remembered, key=lambda name: -days[-1].remembered[name])
    closed = [name for name in names if not name.startswith("reception")][:5]
    panels = [
        Panel("resident memory, MiB", {"RSS": [day.rss_mib for day in days]}),
        Panel("CPU of a step, µs (mean of a week)", {"step": _weekly([day.step_us for day in days])}),
        Panel("messages remembered", {"reception.memory": [day.remembered["reception.memory"] for day in days]}),
        Panel("entries of stages' states", {name: [day.remembered.get(name, 0) for day in days] for name in closed}),
    ]
    description = f"{len(year.said)} calls over {len(days)} days: memory, time per step, sizes of what is remembered."
    plot(PICTURE, "A simulated year of calls: what must stay flat", description, "days", panels)


def _weekly(numbers: Sequence[float]) -> list[float]:
    return [mean(numbers[max(0, at - 6) : at + 1]) for at in range(len(numbers))]


def _told(year: Year, cpu_s: float) -> str:
    days, count = year.days, len(year.days)
    early, late = days[count // 4 : count // 2], days[-count // 4 :]

    def compared(what: str, of_day: object) -> str:
        one, other = (median(of_day(day) for day in part) for part in (early, late))  # type: ignore[operator]
        change = f"({other / one - 1:+.1%})"
        return f"- {what}: {one:,.0f} on a middling day of the second quarter, {other:,.0f} of the last {change}."

    lines = [
        f"{len(year.said)} calls over {count} days ({len(year.said) / count:.0f} a day: the file's own calls, repeated "
        f"with shifted dates), {year.steps} steps, {cpu_s:.0f} s of CPU.",
        f"![A simulated year]({PICTURE.name})",
        "\n".join(
            (
                compared("resident memory, MiB", lambda day: day.rss_mib),
                compared("CPU of a step, µs", lambda day: day.step_us),
                compared("messages remembered", lambda day: day.remembered["reception.memory"]),
                compared(
                    "entries of all stages' states",
                    lambda day: sum(n for name, n in day.remembered.items() if not name.startswith("reception")),
                ),
            )
        ),
    ]
    return "\n\n".join((*lines, _sizes_table(days)))


def _sizes_table(days: Sequence[Day]) -> str:
    """What is remembered, by name, at the ends of the quarters."""
    shown = [days[len(days) * quarter // 4 - 1] for quarter in (1, 2, 3, 4)]
    names = sorted(days[-1].remembered, key=lambda name: -max(day.remembered[name] for day in shown))
    rows = [[f"`{name}`", *(f"{day.remembered[name]:,}" for day in shown)] for name in names]
    return table(["entries, all hubs", "1st quarter's end", "2nd", "3rd", "4th"], rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--per-day", type=int, default=PER_DAY, help="fewer than all: evenly thinned out")
    parser.add_argument("--days", type=int, default=DAYS)
    told = parser.parse_args()
    quiet()
    print(section(told.per_day, told.days))


if __name__ == "__main__":
    main()
