"""`linkage replay`, `linkage journal export`: what the journal alone tells, from a file or from the cluster."""

import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from linkage.cli import accounted_command
from linkage.cli.journal_source import noting, opened_cluster, opened_journal
from linkage.cli.options import DIFFERENCE, ZONE_DEFAULT, Shared, kafka_command, zone_of
from linkage.cli.show import print_json, print_line

if TYPE_CHECKING:
    from linkage.replay.report import IncidentReport
    from linkage.replay.verify import VerifyResult

INCIDENT_PREFIX = "I-"

FileArgument = Annotated[
    Path | None,
    typer.Argument(help="A journal file (`linkage journal export`); the cluster when left out.", show_default=False),
]
ZoneOption = Annotated[
    str | None,
    typer.Option(
        "--zone", "--time-zone", envvar="LINKAGE_TIME_ZONE", help="In which times are shown; the county's unless told."
    ),
]
TimelineOption = Annotated[bool, typer.Option("--timeline", help="Every fact in order, by stage. 时间线")]
SvgOption = Annotated[
    Path | None,
    typer.Option("--svg", help="Draw its timeline into this file instead. 时间线图", show_default=False),
]


def add(app: typer.Typer) -> None:
    replay = typer.Typer(help="What happened, from the journal alone. 复盘", no_args_is_help=True)
    replay.callback()(_replay)
    replay.command("incident")(kafka_command(incident_command))
    replay.command("incidents")(kafka_command(incidents_command))
    accounted_command.add(replay)
    replay.command("verify")(kafka_command(verify_command))
    app.add_typer(replay, name="replay")
    journal = typer.Typer(help="The journal as a file. 日志", no_args_is_help=True)
    journal.callback()(_journal)
    journal.command("export")(kafka_command(export_command))
    app.add_typer(journal, name="journal")


def _replay() -> None:
    """What happened, from the journal alone. 复盘"""


def _journal() -> None:
    """The journal as a file. 日志"""


def incident_command(
    shared: Shared,
    incident: Annotated[str, typer.Argument(help="The incident's id, or the beginning of it: I-4e21.")],
    file: FileArgument = None,
    timeline: TimelineOption = False,
    svg: SvgOption = None,
    zone: ZoneOption = None,
) -> None:
    """One incident: reports, whistle, teams, who replaced whom and why, deadlines. 事件复盘"""
    from linkage.replay.incident import incident_report
    from linkage.replay.tables import console, incident_view, timeline_view

    wanted = incident if incident.startswith(INCIDENT_PREFIX) else INCIDENT_PREFIX + incident
    with opened_journal(file, shared.settings) as source:
        report = incident_report(source, wanted, noting("journal"))
    if svg is not None:
        _draw(report, svg, zone, as_json_line=shared.as_json)
        return
    if shared.as_json:
        print_json(as_json(report))
        return
    shown_in = zone_of(zone or report.time_zone)
    view = timeline_view(report.timeline, report.hub, shown_in) if timeline else incident_view(report, shown_in)
    console().print(view)


def _draw(report: "IncidentReport", svg: Path, zone: str | None, *, as_json_line: bool) -> None:
    from linkage.replay.picture import incident_svg

    picture = incident_svg(report, zone_of(zone or report.time_zone))
    try:
        svg.write_text(picture, encoding="utf-8")
    except OSError as error:
        raise typer.BadParameter(f"--svg: {svg} can't be written: {error.strerror}") from error
    if as_json_line:
        print_json({"incident_id": report.incident_id, "file": str(svg), "bytes": len(picture.encode())})
        return
    print_line(f"{report.incident_id}: timeline 时间线 in {svg}")


def incidents_command(shared: Shared, file: FileArgument = None, zone: ZoneOption = None) -> None:
    """All incidents, one line each. 事件列表"""
    from linkage.replay.listing import incidents
    from linkage.replay.tables import console, incidents_view

    with opened_journal(file, shared.settings) as source:
        lines = incidents(source, noting("journal"))
    if shared.as_json:
        for line in lines:
            print_json(as_json(line))
        return
    shown_in = zone_of(zone or (lines[0].time_zone if lines else ZONE_DEFAULT))
    console().print(incidents_view(lines, shown_in))


def verify_command(shared: Shared, file: FileArgument = None) -> None:
    """Decides every journaled step again and compares, byte for byte. Exit 1 and the first difference. 校验"""
    from linkage.replay.verify import verify

    started = time.perf_counter()
    with opened_journal(file, shared.settings) as source:
        result = verify(source, noting("verify"))
    took_s = time.perf_counter() - started
    if shared.as_json:
        print_json({**as_json(result), "is_exact": result.is_exact, "took_s": round(took_s, 3)})
    else:
        _show_verified(result, took_s)
    if not result.is_exact:
        raise typer.Exit(DIFFERENCE)


def _show_verified(result: "VerifyResult", took_s: float) -> None:
    steps = result.decided + sum(result.folded_only.values())
    others = "".join(
        f", {count} of rules version {rules} folded only" for rules, count in sorted(result.folded_only.items())
    )
    behind = f", {result.unfolded} records behind it not looked at" if result.unfolded else ""
    word = "ok" if result.is_exact else "NOT OK 不一致"
    print_line(
        f"verify: {result.decided} steps decided again{others}, {result.differences} differences{behind} · {word} "
        f"({took_s:.2f} s, {took_s / max(1, steps) * 1e6:.0f} µs a step)"
    )
    if (first := result.first) is not None:
        print_line(
            f"first difference: journal {first.partition}/{first.offset}, inbox position {first.position}, "
            f"hub {first.hub}, {first.type}, stage {first.stage}: {first.what}"
        )
        for line in first.diff():
            print_line(line)


def export_command(
    shared: Shared,
    file: Annotated[Path, typer.Argument(help="JSON lines; compressed when the name ends in .gz.")],
) -> None:
    """Writes the whole journal, as it stands now, into a file. 导出日志"""
    from linkage.replay.journal import write_file

    with opened_cluster(shared.settings) as cluster:
        counts = write_file(cluster.journal(), file, noting("export"))
    total = sum(counts.values())
    if shared.as_json:
        print_json({"file": str(file), "records": total, "by_partition": {str(one): counts[one] for one in counts}})
        return
    by_partition = ", ".join(f"{partition}: {count}" for partition, count in sorted(counts.items()))
    print_line(f"{total} journal records in {file} ({file.stat().st_size} bytes; by partition {by_partition})")


def as_json(item: Any) -> dict[str, Any]:
    """A frozen dataclass for machines: instants as RFC 3339, the vocabulary as on the wire."""
    from pydantic_core import to_jsonable_python

    entry: dict[str, Any] = to_jsonable_python(asdict(item))
    return entry
