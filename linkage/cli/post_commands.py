"""`linkage command POST ...`: what a command post does, one command each, and the receipt it gets."""

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from linkage.cli.options import (
    DIFFERENCE,
    ZONE_DEFAULT,
    Shared,
    ZoneOption,
    instant_typed,
    kafka_command,
    now_in,
    zone_of,
)
from linkage.cli.show import answer_line, print_json, print_line

if TYPE_CHECKING:
    from linkage.events.envelope import PartyMessage

WAIT_LIMIT_S = 30.0

WaitOption = Annotated[bool, typer.Option("--wait/--no-wait", help="Wait for the receipt or the refusal.")]
WaitLimitOption = Annotated[float, typer.Option("--wait-limit-s", help="Seconds to wait for it.")]
MessageIdOption = Annotated[
    str | None, typer.Option("--message-id", help="Send exactly this message again: the id it was sent as.")
]
ActorOption = Annotated[str | None, typer.Option("--actor", help="Who types this, for the record.")]


def add(app: typer.Typer) -> None:
    command = typer.Typer(help="What a command post decides: linkage command POST ... 指令", no_args_is_help=True)
    command.callback()(command_of_post)
    command.command("withdraw-team")(kafka_command(withdraw_team))
    command.command("close")(kafka_command(close_incident))
    command.command("place")(kafka_command(place_report))
    command.command("judge-link")(kafka_command(judge_link))
    command.command("record-answer")(kafka_command(record_answer))
    app.add_typer(command, name="command")


def command_of_post(
    context: typer.Context,
    post: Annotated[str, typer.Argument(help="The post's party id, e.g. the township's or county's code.")],
) -> None:
    """What a command post decides. 指令"""
    context.obj = post


def withdraw_team(
    shared: Shared,
    context: typer.Context,
    order_id: Annotated[str, typer.Argument(help="The team's order.")],
    reason: Annotated[str, typer.Option(help="Why; the team reads it.")],
    replace: Annotated[bool, typer.Option("--replace", help="The next candidate goes in its place.")] = False,
    actor: ActorOption = None,
    message_id: MessageIdOption = None,
    wait: WaitOption = True,
    wait_limit_s: WaitLimitOption = WAIT_LIMIT_S,
) -> None:
    """Takes a team back: it stands down, and is free once it says that it is done. 撤回队伍"""
    from linkage.events.inbound import WithdrawTeam

    message = WithdrawTeam(order_id=order_id, reason=reason, replace=replace, actor=actor)
    _send(shared, context, message, message_id, wait_limit_s if wait else None)


def close_incident(
    shared: Shared,
    context: typer.Context,
    incident_id: Annotated[str, typer.Argument(help="The incident.")],
    reason: Annotated[str, typer.Option(help="Why it is over.")],
    signed_by: Annotated[str, typer.Option(help="Who signs 签发.")],
    actor: ActorOption = None,
    message_id: MessageIdOption = None,
    wait: WaitOption = True,
    wait_limit_s: WaitLimitOption = WAIT_LIMIT_S,
) -> None:
    """Ends an incident: what is open is lifted, who is out stands down. 结束"""
    from linkage.events.inbound import CloseIncident

    message = CloseIncident(incident_id=incident_id, reason=reason, signed_by=signed_by, actor=actor)
    _send(shared, context, message, message_id, wait_limit_s if wait else None)


def place_report(
    shared: Shared,
    context: typer.Context,
    source: Annotated[str, typer.Argument(help="The source that sent the report.")],
    report_id: Annotated[str, typer.Argument(metavar="MESSAGE_ID", help="The report's message id.")],
    township: Annotated[str, typer.Argument(help="9 digits: where it belongs.")],
    reason: Annotated[str, typer.Option(help="How that is known.")] = "",
    actor: ActorOption = None,
    message_id: MessageIdOption = None,
    wait: WaitOption = True,
    wait_limit_s: WaitLimitOption = WAIT_LIMIT_S,
) -> None:
    """Says where an unplaced report belongs. 指定归属乡镇"""
    from pydantic import ValidationError

    from linkage.events.inbound import PlaceReport

    try:
        message = PlaceReport(report_sender=source, report_id=report_id, township=township, reason=reason, actor=actor)
    except ValidationError as error:
        raise _bad_parameter(error) from error
    _send(shared, context, message, message_id, wait_limit_s if wait else None)


def judge_link(
    shared: Shared,
    context: typer.Context,
    link_id: Annotated[str, typer.Argument(help="The link, as the notice named it.")],
    is_one_event: Annotated[bool, typer.Option("--one-event/--separate", help="What it is.", show_default=False)],
    reason: Annotated[str, typer.Option(help="How that is known.")],
    signed_by: Annotated[str, typer.Option(help="Who signs 签发.")],
    actor: ActorOption = None,
    message_id: MessageIdOption = None,
    wait: WaitOption = True,
    wait_limit_s: WaitLimitOption = WAIT_LIMIT_S,
) -> None:
    """Says whether two linked incidents are one event. 研判关联"""
    from linkage.events.inbound import JudgeLink

    message = JudgeLink(link_id=link_id, is_one_event=is_one_event, reason=reason, signed_by=signed_by, actor=actor)
    _send(shared, context, message, message_id, wait_limit_s if wait else None)


def record_answer(
    shared: Shared,
    context: typer.Context,
    order_id: Annotated[str, typer.Argument(help="The order that was answered.")],
    answer: Annotated[str, typer.Argument(help="received, accepted, declined, en_route, reported_in or done.")],
    on_behalf_of: Annotated[str, typer.Option(help="The party that said it.")],
    channel: Annotated[str, typer.Option(help="phone, radio, paper, chat or face_to_face.")],
    recorded_by: Annotated[str, typer.Option(help="Who writes it down.")],
    heard_at: Annotated[str, typer.Option(help="When it was heard: 02:31, now, or RFC 3339.")] = "now",
    reason: Annotated[str, typer.Option(help="What else was said.")] = "",
    eta: Annotated[str | None, typer.Option(help="When they will be there: +25m, or RFC 3339.")] = None,
    message_id: MessageIdOption = None,
    wait: WaitOption = True,
    wait_limit_s: WaitLimitOption = WAIT_LIMIT_S,
    time_zone: ZoneOption = ZONE_DEFAULT,
) -> None:
    """Writes down what a party said by telephone, radio or paper. It counts, marked attested. 代录"""
    from pydantic import ValidationError

    from linkage.events.base import Attested
    from linkage.events.inbound import RecordAnswer

    zone = zone_of(time_zone)
    now = now_in(zone)
    try:
        attested = Attested.model_validate(
            {
                "on_behalf_of": on_behalf_of,
                "channel": channel,
                "heard_at": instant_typed(heard_at, "--heard-at", zone, now),
                "recorded_by": recorded_by,
            }
        )
        eta_at = None if eta is None else instant_typed(eta, "--eta", zone, now)
        message = RecordAnswer.model_validate(
            {"order_id": order_id, "answer": answer, "reason": reason, "eta_at": eta_at, "attested": attested}
        )
    except ValidationError as error:
        raise _bad_parameter(error) from error
    _send(shared, context, message, message_id, wait_limit_s if wait else None)


def _bad_parameter(error: Exception) -> typer.BadParameter:
    from pydantic import ValidationError

    assert isinstance(error, ValidationError)
    first = error.errors(include_url=False)[0]
    name = ".".join(str(part) for part in first["loc"]).replace("_", "-")
    return typer.BadParameter(f"{name}: {first['msg']} (got {first['input']!r})")


def _send(
    shared: Shared, context: typer.Context, message: "PartyMessage", message_id: str | None, wait_limit_s: float | None
) -> None:
    refused = asyncio.run(_sent(shared, str(context.obj), message, message_id, wait_limit_s))
    if refused:
        raise typer.Exit(DIFFERENCE)


async def _sent(
    shared: Shared, post: str, message: "PartyMessage", message_id: str | None, wait_limit_s: float | None
) -> bool:
    """True when the engine refused it. The id derives from what is said and when: typed again, it is meant again."""
    from linkage import identity
    from linkage.client import Publisher
    from linkage.client.outlet import encoded
    from linkage.events.outbound import IssueRefusal
    from linkage.topics import Family

    now = now_in(zone_of("UTC"))
    chosen = message_id or identity.message_id("command", post, encoded(message).hex(), now.isoformat())
    async with Publisher(post, shared.settings) as publisher:
        await publisher.send(Family.COMMAND, chosen, message, time=now)
        if wait_limit_s is None:
            if shared.as_json:
                print_json({"sent": message.type, "message_id": chosen})
            else:
                print_line(f"sent as {chosen}")
            return False
        came = await publisher.receipt(chosen, within_s=wait_limit_s)
    if shared.as_json:
        print_json(came.model_dump(mode="json"))
    else:
        print_line(answer_line(came))
    return isinstance(came, IssueRefusal)
