"""The real calls, imported as a user would, and what a simulation of a slice of them leaves."""

import logging
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from linkage.county import County, load_county
from linkage.edges.report_lines import BadLine, read_lines
from linkage.events.envelope import JOURNAL, JournalRecord
from linkage.simulation.run import Outcome, Simulation
from linkage.simulation.said import Said, instant_ms

FILE = Path(__file__).parents[2] / "shared" / "data" / "montco911" / "calls_2015-12_2016-05.csv.gz"
"""Montgomery County's calls; not in this repository."""


@dataclass(frozen=True)
class Calls:
    """A county and its calls, in the order of the file."""

    county: County
    said: tuple[Said, ...]


@contextmanager
def imported(file: Path = FILE) -> Iterator[Calls | None]:
    """None when the file is not there."""
    if not file.is_file():
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="linkage-bench-calls-") as name:
        folder = Path(name)
        command = [sys.executable, "-m", "linkage.cli", "import", "montcoalert", str(file)]
        command += ["--county-out", str(folder / "county"), "--out", str(folder / "reports.jsonl")]
        subprocess.run(command, check=True, capture_output=True)
        with (folder / "reports.jsonl").open("rb") as lines:
            yield Calls(load_county(folder / "county"), tuple(_said(lines)))


def _said(lines: Iterator[bytes]) -> Iterator[Said]:
    for line in read_lines(lines):
        if not isinstance(line, BadLine):
            yield Said(instant_ms(line.attributes.time, 0), line.attributes, line.data)


@dataclass(frozen=True)
class Run:
    """A simulation and what it cost. `cpu_s` of this process, loading the county included."""

    outcome: Outcome
    cpu_s: float

    @property
    def steps_per_second(self) -> float:
        return self.outcome.tally.steps / self.cpu_s

    @property
    def calls_per_second(self) -> float:
        return self.outcome.reports / self.cpu_s


def simulated(county: County, said: Sequence[Said]) -> Run:
    """These calls on virtual time; everybody answers in time and posts close."""
    logging.getLogger().setLevel(logging.WARNING)
    begun = time.process_time()
    outcome = Simulation(county, said, "prompt").run()
    return Run(outcome, time.process_time() - begun)


def journal_records(outcome: Outcome) -> Iterator[tuple[JournalRecord, bytes]]:
    """The journal's steps and their bytes."""
    for record in outcome.journal:
        entry = JOURNAL.validate_json(record.value or b"")
        if isinstance(entry, JournalRecord):
            yield entry, record.value or b""
