"""Both readings of a file of calls: first the county's folder, then its reports, one for each row."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal, TextIO

from linkage.county import Problem
from linkage.edges.montcoalert.folder import write_folder
from linkage.edges.montcoalert.reports import Reporter, line_of
from linkage.edges.montcoalert.rows import read_rows
from linkage.edges.montcoalert.survey import (
    ADJACENCY_FILE,
    Survey,
    close_townships,
    joined,
    middle_of,
    read_adjacency,
    survey,
)

PROGRESS_EVERY_ROWS = 5_000
PROBLEMS_KEPT_LIMIT_COUNT = 1_000

Reading = Literal["survey", "reports"]
Progress = Callable[[Reading, int], None]
"""Told which reading it is and how many rows are done, every PROGRESS_EVERY_ROWS rows and at its end."""


@dataclass(frozen=True, slots=True)
class ImportSummary:
    """What became of the rows: `reports` equals `rows`, each placed in a township or unplaced."""

    rows: int
    reports: int
    unplaced: int
    townships: int
    teams: int
    """Of the townships and the county together."""
    first_fed_at: datetime | None
    last_fed_at: datetime | None
    neighbours_from: str
    """The file that the neighbours were read from, or `close calls`."""
    version: str
    problems_count: int
    problems: tuple[Problem, ...]
    """Cells that could not be read, the first PROBLEMS_KEPT_LIMIT_COUNT of them."""


def import_calls(
    csv_path: Path, county_out: Path, reports_out: TextIO, progress: Progress | None = None
) -> ImportSummary:
    """Reads the calls twice: writes a county's folder to `county_out` and one report line for each row.

    Raises NotMontcoalert when the file is none, breaks off, or `county_out` holds something else; nothing of the
    reports is written then. A `derived_adjacency.csv` (columns a, b) beside the file names the neighbours.
    """
    tell = progress or _silent
    found = survey(read_rows(csv_path), _every(tell, "survey"))
    tell("survey", found.rows)
    pairs, neighbours_from = _neighbours(csv_path, found)
    county = write_folder(county_out, found, pairs)
    tally = _Tally()
    reporter = Reporter(csv_path.name, found.codes(), found.middle(), tally.complain, found.fallbacks())
    _write_reports(reporter, csv_path, reports_out, tally, tell)
    return ImportSummary(
        rows=found.rows,
        reports=tally.reports,
        unplaced=tally.unplaced,
        townships=len(county.townships),
        teams=sum(len(teams) for teams in county.teams.values()),
        first_fed_at=datetime.fromisoformat(tally.first_time) if tally.first_time else None,
        last_fed_at=datetime.fromisoformat(tally.last_time) if tally.last_time else None,
        neighbours_from=neighbours_from,
        version=county.version,
        problems_count=tally.problems_count,
        problems=tuple(tally.problems),
    )


@dataclass(slots=True)
class _Tally:
    reports: int = 0
    unplaced: int = 0
    first_time: str | None = None
    last_time: str | None = None
    problems_count: int = 0
    problems: list[Problem] = field(default_factory=list)

    def complain(self, problem: Problem) -> None:
        self.problems_count += 1
        if len(self.problems) < PROBLEMS_KEPT_LIMIT_COUNT:
            self.problems.append(problem)


def _write_reports(reporter: Reporter, csv_path: Path, out: TextIO, tally: _Tally, tell: Progress) -> None:
    told = _every(tell, "reports")
    for row in read_rows(csv_path):
        attributes, report = reporter.report(row)
        out.write(line_of(attributes, report) + "\n")
        tally.reports += 1
        tally.unplaced += report.place.hub is None
        tally.last_time = attributes.time or tally.last_time
        tally.first_time = tally.first_time or attributes.time
        told(tally.reports)
    tell("reports", tally.reports)


def _neighbours(csv_path: Path, found: Survey) -> tuple[list[tuple[str, str]], str]:
    beside = csv_path.parent / ADJACENCY_FILE
    townships = found.codes()
    is_given = beside.is_file()
    pairs = read_adjacency(beside, townships) if is_given else close_townships(found.points)
    middles = {name: middle_of(found.points[name]) for name in townships}
    return joined(pairs, middles), beside.name if is_given else "close calls"


def _every(tell: Progress, reading: Reading) -> Callable[[int], None]:
    def seen(rows: int) -> None:
        if rows % PROGRESS_EVERY_ROWS == 0:
            tell(reading, rows)

    return seen


def _silent(reading: Reading, rows: int) -> None:
    """Nobody wants to know."""
