"""`linkage simulate`: a county's days in seconds, without a broker; the journal at the end is what replay reads."""

import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from linkage.cli.options import DIFFERENCE, ZONE_DEFAULT, JsonOption, ZoneOption, zone_of
from linkage.cli.show import print_json, print_line, print_problem

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from linkage.county import County
    from linkage.edges.report_lines import BadLine, ReportLine
    from linkage.simulation.run import Outcome, Progress
    from linkage.simulation.said import Said

PROBLEMS_SHOWN_COUNT = 20
SHOWN_EVERY_S = 2.0
PROMPT, NONE = "prompt", "none"

ReportsArgument = Annotated[
    Path, typer.Argument(metavar="REPORTS", help="JSON lines, as `linkage publish` reads them.")
]
CountyOption = Annotated[Path, typer.Option("--county", metavar="DIR", help="The county's folder.")]
JournalOption = Annotated[
    Path | None, typer.Option("--journal", metavar="OUT", help="Where the journal is written; .gz compresses.")
]
AnswersOption = Annotated[
    str,
    typer.Option(
        help="prompt: everybody answers in time and posts close; none: nobody; or a file of recorded answers, "
        "JSON lines like the reports, each at its own `time`."
    ),
]
SeedOption = Annotated[int, typer.Option(help="The same seed gives the same journal, byte for byte.")]
PartitionsOption = Annotated[int, typer.Option(min=1, max=64, help="Partitions of inbox and journal.")]


def add(app: typer.Typer) -> None:
    app.command("simulate")(simulate_command)


def simulate_command(
    reports: ReportsArgument,
    county: CountyOption,
    journal: JournalOption = None,
    answers: AnswersOption = PROMPT,
    seed: SeedOption = 1,
    partitions: PartitionsOption = 4,
    zone: ZoneOption = ZONE_DEFAULT,
    as_json: JsonOption = False,
) -> None:
    """Plays reports at their own times through the real engine, on virtual time, without Kafka. 推演"""
    import logging

    from linkage.county import load_county
    from linkage.simulation.run import Simulation
    from linkage.worker.collection import collect_rarely
    from linkage.worker.logging import configure_logging

    configure_logging(json=False, level=logging.WARNING)
    collect_rarely()
    shown_in = zone_of(zone)
    known = load_county(county)
    said, bad = _read([reports] if answers in (PROMPT, NONE) else [reports, Path(answers)], known)
    if not said:
        raise typer.BadParameter(f"{reports}: no line can be sent")
    plan = Simulation(known, said, "prompt" if answers == PROMPT else "none", seed, partitions)
    started_s, started_cpu_s = time.perf_counter(), time.process_time()
    outcome = plan.run(_Shown(shown_in, is_quiet=as_json))
    took_s, cpu_s = time.perf_counter() - started_s, time.process_time() - started_cpu_s
    if journal is not None:
        _write(outcome, journal)
    if as_json:
        print_json(_entry(outcome, bad, took_s))
    else:
        _show(outcome, bad, took_s, cpu_s, journal)
    if bad or not outcome.is_finished:
        raise typer.Exit(DIFFERENCE)


def _read(files: Iterable[Path], county: "County") -> "tuple[list[Said], int]":
    """(what is said, how many lines can't be sent); each of those is named, and the rest goes on."""
    from linkage.edges.report_lines import BadLine, read_lines

    said: list[Said] = []
    bad = 0
    for path in files:
        if not path.is_file():
            raise typer.BadParameter(f"{path} is no file")
        with path.open("rb") as file:
            for line in _sayable(read_lines(file), county):
                if isinstance(line, BadLine):
                    bad += 1
                    if bad <= PROBLEMS_SHOWN_COUNT:
                        print_problem(f"{path}: {line}")
                else:
                    said.append(line)
    return said, bad


def _sayable(lines: "Iterable[ReportLine | BadLine]", county: "County") -> "Iterator[Said | BadLine]":
    """Lines with their instants; one without a `time` is said when the line before it is."""
    from linkage.edges.report_lines import BadLine
    from linkage.simulation.said import NoInstant, Said, instant_ms
    from linkage.simulation.virtual_time import START_MS

    at_ms: int | None = None
    for line in lines:
        if isinstance(line, BadLine):
            yield line
            continue
        try:
            at_ms = instant_ms(line.attributes.time, START_MS if at_ms is None else at_ms)
        except NoInstant as error:
            yield BadLine(line.line_no, str(error), "write it like 2026-11-23T02:31:14+08:00")
            continue
        said = Said(at_ms, line.attributes, line.data)
        if (problem := said.problem(county)) is None:
            yield said
        else:
            yield BadLine(line.line_no, problem, "let the line's `source` be a party of the county's folder")


class _Shown:
    """Progress on stderr, a line every few real seconds."""

    def __init__(self, zone: "ZoneInfo", *, is_quiet: bool) -> None:
        self._zone = zone
        self._is_quiet = is_quiet
        self._last_s = time.monotonic()

    def __call__(self, progress: "Progress") -> None:
        if self._is_quiet or time.monotonic() - self._last_s < SHOWN_EVERY_S:
            return
        from linkage.events.base import instant

        self._last_s = time.monotonic()
        at = instant(progress.now_ms).astimezone(self._zone)
        print_problem(
            f"{at:%Y-%m-%d %H:%M}  {progress.said} of {progress.of} said, "
            f"{progress.tally.open_incidents} incidents open, {progress.tally.steps} steps"
        )


def _write(outcome: "Outcome", path: Path) -> None:
    from linkage.replay.journal import RawEntry, write_file

    entries = (RawEntry(one.partition, one.offset, one.timestamp_ms, one.value or b"") for one in outcome.journal)
    try:
        write_file(entries, path)
    except OSError as error:
        raise typer.BadParameter(f"--journal: {path}: {error.strerror}") from error


def _entry(outcome: "Outcome", bad: int, took_s: float) -> dict[str, Any]:
    from dataclasses import asdict

    return {
        **asdict(outcome.tally),
        "reports": outcome.reports,
        "bad_lines": bad,
        "open_incidents": outcome.tally.open_incidents,
        "open_deadlines": outcome.open_deadlines,
        "is_finished": outcome.is_finished,
        "virtual_s": outcome.virtual_ms // 1000,
        "took_s": round(took_s, 3),
    }


def _show(outcome: "Outcome", bad: int, took_s: float, cpu_s: float, journal: Path | None) -> None:
    tally = outcome.tally
    refused = ", ".join(f"{count} {code}" for code, count in sorted(tally.refused.items()))
    took_s = max(took_s, 0.001)
    lines = [
        f"reports 报告        {outcome.reports}: {tally.opened} opened incidents, {tally.merged} merged, "
        f"{tally.revised} revised, {tally.unplaced} without a township ({tally.placed} placed), {tally.repeated} again",
        f"incidents 事件      {tally.opened}, {tally.closed} closed, {tally.open_incidents} open at the end",
        f"orders 指令         {tally.orders}: {tally.whistled} whistles, {tally.teams_ordered} teams "
        f"({tally.teams_lent} lent by the county), {tally.replacements} of them replacements",
        f"overdue 逾期        {tally.overdue}, the ladder was told {tally.escalated} times, "
        f"{tally.exhausted} seats without anybody left",
        f"refused 拒收        {sum(tally.refused.values())}" + (f": {refused}" if refused else ""),
        f"speed 速度          {outcome.virtual_ms / 3_600_000:.1f} h in {took_s:.1f} s ({cpu_s:.1f} s of CPU), "
        f"{tally.steps} steps, {tally.steps / took_s:.0f} a second, {tally.facts} facts",
    ]
    for line in lines:
        print_line(line)
    if bad:
        print_line(f"bad lines 坏行      {bad}, not sent")
    if not outcome.is_finished:
        print_line(f"not finished 未完成 {outcome.open_deadlines} deadlines were open when the limit was reached")
    if journal is not None:
        print_line(
            f"journal 日志        {journal}: {len(outcome.journal)} records\n"
            f"next: linkage replay incidents {journal}; linkage replay verify {journal}; linkage audit {journal}"
        )
