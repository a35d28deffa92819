"""`linkage replay accounted`: what became of each report, one row for each source record."""

import csv
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from linkage.cli.journal_source import noting, opened_journal
from linkage.cli.options import Shared, kafka_command
from linkage.cli.show import print_json, print_line

if TYPE_CHECKING:
    from linkage.replay.accounted import AccountedRow

COLUMNS = ("report_id", "outcome", "incident_id", "reason")
OUTCOME_ZH = {
    "opened": "新建",
    "merged": "并入",
    "linked": "关联",
    "unplaced": "乡镇不明",
    "refused": "拒收",
    "repeated": "重复",
}
SHOWN = ("unplaced", "refused")
"""What a person must look at."""
SHOWN_LIMIT_COUNT = 20
LOOK_FURTHER = "every row: --csv; a report sent but missing here: linkage audit 逐条核对"


def add(replay: typer.Typer) -> None:
    replay.command("accounted")(kafka_command(accounted_command))


def accounted_command(
    shared: Shared,
    file: Annotated[
        Path | None,
        typer.Argument(
            help="A journal file (`linkage journal export`); the cluster when left out.", show_default=False
        ),
    ] = None,
    as_csv: Annotated[
        bool, typer.Option("--csv", help="CSV on stdout, one row each: report_id, outcome, incident_id, reason.")
    ] = False,
) -> None:
    """What became of each report: opened, merged or linked (to which), unplaced, refused (why), repeated. 报告去向"""
    from linkage.replay.accounted import accounted

    if as_csv and shared.as_json:
        raise typer.BadParameter("--csv and --json: choose one")
    with opened_journal(file, shared.settings) as source:
        rows = accounted(source, noting("accounted"))
    if as_csv:
        write_csv(rows, sys.stdout)
    elif shared.as_json:
        for row in rows:
            print_json(_entry(row))
    else:
        _show(rows)


def write_csv(rows: "Iterable[AccountedRow]", out: TextIO) -> None:
    """A header, then one line for each row; lines end in LF. A reason with a line break in it is written in one."""
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow((row.report_id, row.outcome, row.incident_id or "", " ".join(row.reason.split())))


def _entry(row: "AccountedRow") -> dict[str, object]:
    from linkage.wire import rfc3339

    return {
        **{name: getattr(row, name) for name in COLUMNS},
        "sender": row.sender,
        "source_record": {"topic": row.topic, "partition": row.partition, "offset": row.offset},
        "hub": row.hub,
        "decided_at": rfc3339(row.decided_at),
    }


def _show(rows: "Sequence[AccountedRow]") -> None:
    from linkage.replay.accounted import totals

    counted = " · ".join(f"{outcome} {count} {OUTCOME_ZH[outcome]}" for outcome, count in totals(rows).items())
    print_line(f"{len(rows)} reports 报告: {counted}" if rows else "the journal holds no report yet 尚无报告")
    for wanted in SHOWN:
        listed = [row for row in rows if row.outcome == wanted]
        for row in listed[:SHOWN_LIMIT_COUNT]:
            print_line(f"{wanted} {OUTCOME_ZH[wanted]}  {row.report_id} of {row.sender}: {row.reason}")
        if len(listed) > SHOWN_LIMIT_COUNT:
            print_line(f"... and {len(listed) - SHOWN_LIMIT_COUNT} more {wanted}")
    print_line(LOOK_FURTHER)
