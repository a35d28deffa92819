"""`linkage publish FILE|-`: JSON lines into the sources' topics; bad lines named, the rest goes on."""

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any

import typer

from linkage.cli.options import DIFFERENCE, Shared, kafka_command, now_in, zone_of
from linkage.cli.show import answer_line, print_json, print_line, print_problem

if TYPE_CHECKING:
    from linkage.cli.publishing import Shows, Tally
    from linkage.client import EngineAnswer
    from linkage.edges.report_lines import BadLine, ReportLine

WAIT_LIMIT_S = 30.0
STATUS_EVERY_LINES = 500
UNANSWERED_SHOWN_COUNT = 10
STANDARD_INPUT = "-"
AGAIN = "publishing the file again is safe"
AGAIN_SHIFTED = "do not publish it again: shifted anew, the same ids would be other reports and be refused"


def add(app: typer.Typer) -> None:
    app.command("publish")(kafka_command(publish_command))


def publish_command(
    shared: Shared,
    file: Annotated[str, typer.Argument(help="JSON lines, one report each; - for standard input.")],
    source: Annotated[str | None, typer.Option(help="Publish every line as this source, whatever it says.")] = None,
    shift_to_now: Annotated[
        bool, typer.Option("--shift-to-now", help="Move all times by one constant, so that the first is now.")
    ] = False,
    wait: Annotated[
        bool, typer.Option("--wait-receipts/--no-wait", help="Wait for receipts and refusals and show them.")
    ] = True,
    wait_limit_s: Annotated[float, typer.Option(help="Seconds without any answer after which to stop waiting.")] = (
        WAIT_LIMIT_S
    ),
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No line for each receipt.")] = False,
) -> None:
    """Publishes reports. Sending a file again is safe, the same ids are the same reports; not so with --shift-to-now,
    which gives the same ids other times. 上报"""
    with _opened(file) as opened:
        lines = _lines(opened, source, shift_to_now)
        tally = asyncio.run(_publish(shared, lines, file == STANDARD_INPUT, wait_limit_s if wait else None, quiet))
    _show_summary(shared, tally, waited=wait, is_shifted=shift_to_now)
    if not tally.is_clean:
        raise typer.Exit(DIFFERENCE)


def _opened(file: str) -> AbstractContextManager[IO[bytes]]:
    if file == STANDARD_INPUT:
        return nullcontext(sys.stdin.buffer)
    try:
        return Path(file).open("rb")
    except OSError as error:
        raise typer.BadParameter(f"{file} cannot be read: {error.strerror}") from error


def _lines(file: IO[bytes], source: str | None, is_shifted: bool) -> "Iterator[ReportLine | BadLine]":
    from linkage.edges.report_lines import ReportLine, read_lines, shift_to_now

    lines = read_lines(file)
    if is_shifted:
        lines = shift_to_now(lines, now_in(zone_of("UTC")))
    for line in lines:
        if source is not None and isinstance(line, ReportLine):
            yield replace(line, attributes=line.attributes._replace(source=source))
        else:
            yield line


async def _publish(
    shared: Shared, lines: "Iterator[ReportLine | BadLine]", is_live: bool, wait_limit_s: float | None, quiet: bool
) -> "Tally":
    from linkage.cli.publishing import Publishing, from_thread
    from linkage.client.outlet import Outlet

    async with Outlet(shared.settings) as outlet:
        with _showing(shared, quiet) as shows:
            publishing = Publishing(shared.settings, outlet, shows, follows_answers=wait_limit_s is not None)
            try:
                async for line in from_thread(lines) if is_live else _at_once(lines):
                    await publishing.take(line)
                await publishing.finish()
                if wait_limit_s is not None:
                    await publishing.wait_for_answers(wait_limit_s)
            finally:
                await publishing.close()
    return publishing.tally


async def _at_once(lines: "Iterator[ReportLine | BadLine]") -> "AsyncIterator[ReportLine | BadLine]":
    for line in lines:
        yield line


def _showing(shared: Shared, quiet: bool) -> "AbstractContextManager[Shows]":
    if shared.as_json:
        return _for_machines(quiet)
    return _on_terminal(quiet) if sys.stdout.isatty() else _plainly(quiet)


@contextmanager
def _for_machines(quiet: bool) -> "Iterator[Shows]":
    from linkage.cli.publishing import Shows
    from linkage.events.outbound import IssueRefusal

    def bad(line: "BadLine") -> None:
        print_json({"event": "bad_line", "line": line.line_no, "what": line.what, "remedy": line.remedy})

    def answer(source: str, came: "EngineAnswer") -> None:
        refused = isinstance(came, IssueRefusal)
        if refused or not quiet:
            event = "refusal" if refused else "receipt"
            print_json({"event": event, "source": source, **came.model_dump(mode="json")})

    yield Shows(bad, answer, lambda _tally: None)


@contextmanager
def _plainly(quiet: bool) -> "Iterator[Shows]":
    from linkage.cli.publishing import Shows

    shown = 0

    def status(tally: "Tally") -> None:
        nonlocal shown
        if tally.published >= shown + STATUS_EVERY_LINES:
            shown = tally.published
            print_problem(_status(tally))

    yield Shows(lambda line: print_problem(_bad_line(line)), lambda _source, came: _show_answer(came, quiet), status)


@contextmanager
def _on_terminal(quiet: bool) -> "Iterator[Shows]":
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    from linkage.cli.publishing import Shows

    columns: tuple[Any, ...] = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, transient=True) as progress:
        task = progress.add_task("publishing")
        yield Shows(
            lambda line: print_line(_bad_line(line)),
            lambda _source, came: _show_answer(came, quiet),
            lambda tally: progress.update(task, description=_status(tally)),
        )


def _show_answer(came: "EngineAnswer", quiet: bool) -> None:
    from linkage.events.outbound import IssueRefusal

    if isinstance(came, IssueRefusal) or not quiet:
        print_line(answer_line(came))


def _bad_line(line: "BadLine") -> str:
    return f"line {line.line_no} not sent: {line.what}; {line.remedy}"


def _status(tally: "Tally") -> str:
    answered = sum(tally.receipts.values())
    return f"published {tally.published}, receipts {answered}, refused {sum(tally.refusals.values())}, bad {tally.bad}"


def _show_summary(shared: Shared, tally: "Tally", *, waited: bool, is_shifted: bool) -> None:
    if shared.as_json:
        print_json(
            {
                "event": "summary",
                "published": tally.published,
                "bad_lines": tally.bad,
                "receipts": dict(sorted(tally.receipts.items())),
                "refusals": dict(sorted(tally.refusals.items())),
                "unanswered": [{"source": source, "id": message_id} for source, message_id in sorted(tally.unanswered)],
                "waited": waited,
            }
        )
        return
    parts = [f"published {tally.published} 已上报"]
    if tally.bad:
        parts.append(f"bad lines, not sent {tally.bad} 未发送")
    parts += [f"{outcome} {number}" for outcome, number in sorted(tally.receipts.items())]
    parts += [f"refused ({code}) {number} 拒收" for code, number in sorted(tally.refusals.items())]
    print_line(" · ".join(parts))
    if not waited:
        print_line("not waited for receipts; see them with `linkage subscribe SOURCE`")
    if tally.unanswered:
        first = ", ".join(message_id for _source, message_id in sorted(tally.unanswered)[:UNANSWERED_SHOWN_COUNT])
        more = " ..." if len(tally.unanswered) > UNANSWERED_SHOWN_COUNT else ""
        print_line(
            f"unanswered {tally.unanswered_count} 未答复: {first}{more}\n"
            "Kafka has them and the engine will read them: is a worker running? `linkage subscribe SOURCE` shows the "
            f"answers; {AGAIN_SHIFTED if is_shifted else AGAIN}"
        )
