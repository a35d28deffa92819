"""The campaign's table, written into a document between two marks."""

import platform
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median

from linkage.local_kafka import KAFKA_VERSION
from tests.campaign.rounds import Row, Tally
from tests.kafka.real_county import SESSION_TIMEOUT_MS

BEGIN, END = "<!-- soak: begin -->", "<!-- soak: end -->"
VERSIONED = ("aiokafka", "faust-streaming", "confluent-kafka")


@dataclass(frozen=True, slots=True)
class Run:
    seed: int
    wanted: int
    took_s: float
    tally: Tally
    with_real_calls: bool

    def summary(self) -> str:
        struck = sum(not row.failure for row in self.tally.rows)
        without = len(self.tally.rows) - struck
        found = "nothing lost, nothing doubled" if not self.tally.wrong else f"WRONG {len(self.tally.wrong)} times"
        return (
            f"{struck} faults with evidence, {without} without, of {self.wanted} planned; judged {self.tally.judged} "
            f"times exact: {found}; {self.tally.calls} real calls, {self.tally.steps} steps, "
            f"{self.took_s / 60:.0f} minutes"
        )


def write(path: Path, run: Run) -> None:
    """Replaces what stands between the marks."""
    text = path.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    path.write_text(f"{before}{BEGIN}\n{chr(10).join(lines(run))}\n{END}{after}", encoding="utf-8")


def lines(run: Run) -> Iterator[str]:
    versions = ", ".join(f"{name} {version(name)}" for name in VERSIONED)
    load = "real calls of the imported county" if run.with_real_calls else "made-up reports of the small county"
    yield f"{datetime.now(UTC):%Y-%m-%d}, seed {run.seed}: {run.summary()}."
    yield ""
    yield f"Load: {load}, role players answering. Apache Kafka {KAFKA_VERSION} (three brokers), {versions}, Python"
    yield f"{platform.python_version()}. Session timeout {SESSION_TIMEOUT_MS} ms. Spans in milliseconds."
    yield ""
    yield "| Fault | Done | Lost or doubled | Take-over p50 | max | Others waited, max | Evidence (the last one's) |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    by_kind: defaultdict[str, list[Row]] = defaultdict(list)
    for row in run.tally.rows:
        by_kind[row.kind].append(row)
    for kind, rows in by_kind.items():
        yield _line(kind, [row for row in rows if not row.failure])
    yield ""
    yield from _without_evidence(run)


def _line(kind: str, rows: list[Row]) -> str:
    lost = "nothing" if all(row.is_exact for row in rows) else "SEE BELOW"
    spans = [span for row in rows for span in row.taken_over_ms]
    waits = [row.waited_ms for row in rows if row.waited_ms is not None]
    p50, most = (f"{median(spans):.0f}", str(max(spans))) if spans else ("-", "-")
    evidence = rows[-1].evidence if rows else "-"
    return f"| {kind} | {len(rows)} | {lost} | {p50} | {most} | {max(waits) if waits else '-'} | {evidence} |"


def _without_evidence(run: Run) -> Iterator[str]:
    failed = [row for row in run.tally.rows if row.failure]
    if failed:
        yield "Without evidence, so not counted:"
        yield ""
        yield from (f"- {row.kind}: {row.failure.splitlines()[0]}" for row in failed)
        yield ""
    yield from (f"- wrong: {one.splitlines()[0]}" for one in run.tally.wrong)
