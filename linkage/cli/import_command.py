"""`linkage import montcoalert`: a feed of real calls made into a county and its reports."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from linkage.cli.options import JsonOption
from linkage.cli.show import print_json, print_line, print_problem

if TYPE_CHECKING:
    from linkage.edges.montcoalert import ImportSummary

PROBLEMS_SHOWN_COUNT = 20


def add(app: typer.Typer) -> None:
    importing = typer.Typer(help="Other systems' files made into counties and reports. 导入", no_args_is_help=True)
    importing.callback()(_importing)
    importing.command("montcoalert")(montcoalert_command)
    app.add_typer(importing, name="import")


def _importing() -> None:
    """Other systems' files made into counties and reports. 导入"""


def montcoalert_command(
    calls: Annotated[Path, typer.Argument(metavar="CSV", help="The calls, as CSV or CSV.gz.")],
    county_out: Annotated[Path, typer.Option("--county-out", help="Where the county's folder is written.")],
    out: Annotated[Path, typer.Option("--out", help="Where the reports are written, JSON lines.")],
    as_json: JsonOption = False,
) -> None:
    """Makes a county of the townships that called, and one report of each row. 导入报警记录"""
    from linkage.edges.montcoalert import import_calls

    if not calls.is_file():
        raise typer.BadParameter(f"{calls} is no file")
    unfinished = out.with_name(out.name + ".unfinished")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with unfinished.open("w", encoding="utf-8", newline="\n") as reports:
            summary = import_calls(calls, county_out, reports, _progress)
        os.replace(unfinished, out)
    except OSError as error:
        raise typer.BadParameter(f"{error.filename}: {error.strerror}") from error
    finally:
        unfinished.unlink(missing_ok=True)
    _show(summary, county_out, out, as_json)


def _progress(reading: str, rows: int) -> None:
    print_problem(f"{reading}: {rows} rows")


def _show(summary: "ImportSummary", county_out: Path, out: Path, as_json: bool) -> None:
    if as_json:
        from linkage.wire import rfc3339

        print_json(
            {
                "rows": summary.rows,
                "reports": summary.reports,
                "unplaced": summary.unplaced,
                "townships": summary.townships,
                "teams": summary.teams,
                "first_fed_at": rfc3339(summary.first_fed_at) if summary.first_fed_at else None,
                "last_fed_at": rfc3339(summary.last_fed_at) if summary.last_fed_at else None,
                "neighbours_from": summary.neighbours_from,
                "version": summary.version,
                "problems_count": summary.problems_count,
                "problems": [str(problem) for problem in summary.problems],
            }
        )
        return
    for problem in summary.problems[:PROBLEMS_SHOWN_COUNT]:
        print_problem(str(problem))
    if summary.problems_count > PROBLEMS_SHOWN_COUNT:
        print_problem(f"and {summary.problems_count - PROBLEMS_SHOWN_COUNT} more cells that could not be read")
    print_line(
        f"{summary.rows} rows: {summary.reports} reports, {summary.unplaced} of them without a township\n"
        f"county {summary.version}: {summary.townships} townships, {summary.teams} teams, neighbours from "
        f"{summary.neighbours_from}\n"
        f"next: linkage topics apply --county {county_out}; linkage worker (in a terminal of its own); "
        f"linkage county load {county_out}; linkage publish {out} --shift-to-now"
    )
