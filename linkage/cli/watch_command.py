"""`linkage watch POST`: what a command post sees at one glance, live or once."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any

import typer

from linkage.cli.options import Shared, kafka_command, now_in, zone_of
from linkage.cli.show import print_json

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from linkage.console.board import Board
    from linkage.console.follow import Follower

REFRESH_S = 1.0
"""Deadlines count down, gauges are read anew, at least so often."""
PAUSE_S = 0.2
"""Between two boards, however much happens."""
RETRY_S = 2.0
"""Until Kafka is tried again after it could not be read."""


def add(app: typer.Typer) -> None:
    app.command("watch")(kafka_command(watch_command))


def watch_command(
    shared: Shared,
    post: Annotated[str, typer.Argument(help="The post's party id, or its hub's code. 指挥所")],
    once: Annotated[
        bool, typer.Option("--once", help="Show it once and end; so it is, too, when the output is no terminal.")
    ] = False,
    time_zone: Annotated[
        str | None, typer.Option("--time-zone", help="In which times are shown; the county's unless told.")
    ] = None,
) -> None:
    """What waits for you, what is open, who is late, what happened last. Ctrl-C ends it. With --json one line for
    each change. 值守看板"""
    zone = None if time_zone is None else zone_of(time_zone)
    is_once = once or not (shared.as_json or sys.stdout.isatty())
    with suppress(KeyboardInterrupt):
        asyncio.run(_watch(shared, post, is_once, zone))


async def _watch(shared: Shared, post: str, is_once: bool, zone: "ZoneInfo | None") -> None:
    from linkage.console.follow import Follower
    from linkage.worker.kafka_log import KafkaLog

    _quiet_loops()
    log = KafkaLog(shared.settings)
    follower: Follower | None = None
    try:
        follower = await Follower.of(log, shared.settings.topics, post)
        await follower.look(_now_ms())
        if is_once:
            _show_once(follower.board(now_in(zone or follower.zone)), shared.as_json)
        elif shared.as_json:
            await _lines(follower, zone or follower.zone)
        else:
            await _live(follower, zone or follower.zone)
    finally:
        if follower is not None:
            await follower.close()
        await log.close()


def _show_once(board: "Board", as_json: bool) -> None:
    from rich.console import Console

    from linkage.console.entry import entry
    from linkage.console.layout import WIDTH_COLUMNS
    from linkage.console.render import rendered

    if as_json:
        print_json(entry(board))
        return
    console = Console(highlight=False)
    width = console.width if console.is_terminal else max(WIDTH_COLUMNS, console.width)
    Console(highlight=False, width=width).print(rendered(board))


async def _lines(follower: "Follower", zone: "ZoneInfo") -> None:
    """One JSON line now and for each board that says something new."""
    from linkage.console.entry import entry, is_change

    shown: dict[str, Any] | None = None
    async for board in _boards(follower, zone):
        made = entry(board)
        if is_change(shown, made):
            print_json(made)
            shown = made


async def _live(follower: "Follower", zone: "ZoneInfo") -> None:
    from rich.console import Console
    from rich.live import Live

    from linkage.console.render import fitted

    console = Console(highlight=False)
    console.set_alt_screen(True)  # Live's own screen would fill every line with blanks, which spoils copying
    try:
        console.clear()
        with Live(console=console, auto_refresh=False, vertical_overflow="crop") as live:
            async for board in _boards(follower, zone):
                live.update(fitted(board, console), refresh=True)
    finally:
        console.set_alt_screen(False)


async def _boards(follower: "Follower", zone: "ZoneInfo") -> "AsyncIterator[Board]":
    """A board now, then another whenever something changes and at least each second. While Kafka can't be reached it
    says so and is tried again."""
    from linkage.errors import LogError

    looked_at_ms = _now_ms()
    while True:
        yield follower.board(now_in(zone))
        await asyncio.sleep(PAUSE_S)
        try:
            await follower.advance(int((REFRESH_S - PAUSE_S) * 1000))
            if _now_ms() - looked_at_ms >= REFRESH_S * 1000:
                await follower.look(_now_ms())
                looked_at_ms = _now_ms()
        except (LogError, TimeoutError) as error:
            await follower.failed(error)
            yield follower.board(now_in(zone))
            await asyncio.sleep(RETRY_S)


def _quiet_loops() -> None:
    """What the loops' parts would log stands on the board; their log would stand in the midst of it."""
    import logging

    import structlog

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


def _now_ms() -> int:
    return int(now_in(zone_of("UTC")).timestamp() * 1000)
