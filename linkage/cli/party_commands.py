"""What departments and team owners type: subscribe, reply."""

import asyncio
from datetime import datetime
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
from linkage.cli.show import answer_line, delivery_entry, delivery_line, print_json, print_line

if TYPE_CHECKING:
    from linkage.client import Order

REFUSAL_WAIT_S = 2.0
ORDER_PREFIX = "O-"
CANDIDATES_SHOWN_COUNT = 5


def add(app: typer.Typer) -> None:
    app.command("subscribe")(kafka_command(subscribe_command))
    app.command("reply")(kafka_command(reply_command))


def subscribe_command(
    shared: Shared,
    party: Annotated[str, typer.Argument(help="Whose dispatch topic: a department, a source, a post.")],
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on and show what comes.")] = False,
    new_only: Annotated[bool, typer.Option("--new", help="Only what comes from now on (with --follow).")] = False,
    group: Annotated[str | None, typer.Option(help="Keep the position in Kafka under this group.")] = None,
    time_zone: ZoneOption = ZONE_DEFAULT,
) -> None:
    """Shows what the engine tells a party: orders, notices, receipts, refusals. One line each. 订阅"""
    from linkage.client import subscribe

    zone = zone_of(time_zone)

    async def show() -> None:
        reading = subscribe(party, shared.settings, follow=follow, from_beginning=not new_only, group=group)
        async with reading:
            async for delivery in reading:
                if shared.as_json:
                    print_json(delivery_entry(delivery))
                else:
                    print_line(delivery_line(delivery, zone))

    asyncio.run(show())


def reply_command(
    shared: Shared,
    party: Annotated[str, typer.Argument(help="Who answers.")],
    order_id: Annotated[str, typer.Argument(help="The order, or the beginning of its id.")],
    answer: Annotated[str, typer.Argument(help="received, accepted, declined, en_route, reported_in or done.")],
    reason: Annotated[str, typer.Option(help="Why, for whoever reads it.")] = "",
    eta: Annotated[str | None, typer.Option(help="When you will be there: 03:05 is not enough, write +25m.")] = None,
    revision: Annotated[int, typer.Option(min=1, help="2 and up: corrects what you said before.")] = 1,
    refusal_wait_s: Annotated[
        float, typer.Option(min=0, help="Seconds to wait for a refusal; replies get no receipt.")
    ] = REFUSAL_WAIT_S,
    time_zone: ZoneOption = ZONE_DEFAULT,
) -> None:
    """Answers an order of the party's dispatch topic. Saying the same twice is saying it once. 回复"""
    zone = zone_of(time_zone)
    eta_at = None if eta is None else instant_typed(eta, "--eta", zone, now_in(zone))
    refused = asyncio.run(_reply(shared, party, order_id, answer, reason, eta_at, revision, refusal_wait_s))
    if refused:
        raise typer.Exit(DIFFERENCE)


async def _reply(
    shared: Shared,
    party: str,
    order_id: str,
    answer: str,
    reason: str,
    eta_at: datetime | None,
    revision: int,
    refusal_wait_s: float,
) -> bool:
    """True when the engine refused it."""
    from linkage.client import Publisher, Unanswered, answer_to
    from linkage.events.outbound import IssueRefusal

    order = await find_order(shared, party, order_id)
    named = answer_to(order, answer, reason=reason, eta_at=eta_at, revision=revision)
    async with Publisher(party, shared.settings) as publisher:
        published = await publisher.reply(named)
        said = f"{order.order_id} r{order.revision}: {named.message.answer.value}"
        try:
            came = await publisher.receipt(published.message_id, within_s=refusal_wait_s)
        except Unanswered:
            _show_sent(shared, said, published.message_id)
            return False
    if shared.as_json:
        print_json({"order_id": order.order_id, **came.model_dump(mode="json")})
    else:
        print_line(f"{said}\n{answer_line(came)}")
    return isinstance(came, IssueRefusal)


def _show_sent(shared: Shared, said: str, message_id: str) -> None:
    if shared.as_json:
        print_json({"sent": said, "message_id": message_id})
    else:
        print_line(f"{said}  sent 已回复 (message {message_id})")


async def find_order(shared: Shared, party: str, typed: str) -> "Order":
    """The newest revision of the one order of this party whose id begins with what was typed. Raises LinkageError."""
    from linkage.client import subscribe
    from linkage.client.deliveries import Order
    from linkage.errors import LinkageError

    newest: dict[str, Order] = {}
    async with subscribe(party, shared.settings, follow=False) as deliveries:
        async for delivery in deliveries:
            message = delivery.message
            if isinstance(message, Order) and _begins(message.order_id, typed):
                known = newest.get(message.order_id)
                if known is None or message.revision >= known.revision:
                    newest[message.order_id] = message
    if typed in newest:
        return newest[typed]
    if len(newest) == 1:
        return next(iter(newest.values()))
    if not newest:
        raise LinkageError(f"{party} has no order {typed}; see them with `linkage subscribe {party}`")
    shown = ", ".join(sorted(newest)[:CANDIDATES_SHOWN_COUNT])
    raise LinkageError(f"{typed} begins {len(newest)} orders of {party} ({shown} ...): type more of the id")


def _begins(order_id: str, typed: str) -> bool:
    return order_id.startswith((typed, ORDER_PREFIX + typed))
