"""`linkage county check|load`: the county's reference data, from a folder into the engine."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from linkage.cli.options import DIFFERENCE, JsonOption, Shared, kafka_command
from linkage.cli.show import answer_line, print_json, print_line

if TYPE_CHECKING:
    from linkage.client import EngineAnswer, Publisher
    from linkage.client.registration import Registration
    from linkage.county.loader import County

WAIT_LIMIT_S = 60.0

FolderArgument = Annotated[Path, typer.Argument(metavar="DIR", help="The county's folder: YAML and CSV.")]


def add(app: typer.Typer) -> None:
    county = typer.Typer(help="The county's reference data. 基础数据", no_args_is_help=True)
    county.command("check")(check_command)
    county.command("load")(kafka_command(load_command))
    app.add_typer(county, name="county")


def check_command(folder: FolderArgument, as_json: JsonOption = False) -> None:
    """Names everything that is wrong in the folder, with file, line and remedy. Exit code 1 when anything is. 检查"""
    from linkage.county import check_county

    problems = check_county(folder)
    for problem in problems:
        if as_json:
            print_json({"file": problem.file, "line": problem.line, "what": problem.what, "remedy": problem.remedy})
        else:
            print_line(str(problem))
    if problems:
        raise typer.Exit(DIFFERENCE)
    if not as_json:
        print_line(f"{folder}: nothing is wrong 检查通过")


def load_command(
    shared: Shared,
    folder: FolderArgument,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until every hub has adopted it.")] = True,
    wait_limit_s: Annotated[float, typer.Option(help="Seconds to wait for each hub's receipt.")] = WAIT_LIMIT_S,
) -> None:
    """Publishes who may speak, then one version of the reference data for each hub. Again: changes nothing. 发布"""
    from linkage.county import load_county

    county = load_county(folder)
    refused = asyncio.run(_load(shared, county, wait_limit_s if wait else None))
    if refused:
        raise typer.Exit(DIFFERENCE)


async def _load(shared: Shared, county: "County", wait_limit_s: float | None) -> bool:
    """True when a hub refused it or did not answer."""
    from linkage.client import Outbound, Publisher
    from linkage.client.registration import register
    from linkage.county import events_to_load
    from linkage.topics import Family

    async with Publisher(county.post, shared.settings) as publisher:
        _show_registration(shared, county, await register(shared.settings, county.registry()))
        events = events_to_load(county)
        messages = [Outbound(message_id, message) for _hub, message_id, message in events]
        async for _published in publisher.publish_many(Family.COMMAND, messages):
            pass
        if wait_limit_s is None:
            if not shared.as_json:
                print_line(f"{len(events)} hubs: reference data sent, not waited for")
            return False
        waiting = [_answer(publisher, message_id, wait_limit_s) for _hub, message_id, _message in events]
        answers = await asyncio.gather(*waiting)
    return not _show_answers(shared, county, {hub: came for (hub, *_), came in zip(events, answers, strict=True)})


async def _answer(publisher: "Publisher", message_id: str, wait_limit_s: float) -> "EngineAnswer | None":
    from linkage.client import Unanswered

    try:
        return await publisher.receipt(message_id, within_s=wait_limit_s)
    except Unanswered:
        return None


def _show_answers(shared: Shared, county: "County", answers: "dict[str, EngineAnswer | None]") -> bool:
    """True when every hub has adopted it."""
    from linkage.events.outbound import IssueReceipt

    adopted = [hub for hub, came in answers.items() if isinstance(came, IssueReceipt)]
    silent = [hub for hub, came in answers.items() if came is None]
    for hub, came in answers.items():
        if shared.as_json:
            event = "unanswered" if came is None else "receipt" if hub in adopted else "refusal"
            print_json({"event": event, "hub": hub, **(came.model_dump(mode="json") if came else {})})
        elif came is not None and hub not in adopted:
            print_line(f"hub {hub}: {answer_line(came)}")
    if not shared.as_json:
        print_line(f"{len(adopted)} of {len(answers)} hubs have version {county.version} 已生效")
        if silent:
            print_line(f"no answer yet from {', '.join(silent)}: is a worker running? Loading again is safe")
    return len(adopted) == len(answers)


def _show_registration(shared: Shared, county: "County", registration: "Registration") -> None:
    if shared.as_json:
        print_json(
            {
                "event": "registered",
                "county": county.code,
                "version": county.version,
                "parties": registration.registered,
                "removed": registration.removed,
            }
        )
        return
    removed = f", no longer registered: {', '.join(registration.removed)}" if registration.removed else ""
    print_line(f"county {county.code} {county.label_zh}: {len(registration.registered)} parties registered{removed}")
