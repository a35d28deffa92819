"""How rows are laid out in a terminal: columns, instants, countdowns, commands that can be copied."""

from collections.abc import Iterator
from datetime import datetime

from rich.cells import cell_len
from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from linkage.replay.words import span

WIDTH_COLUMNS = 110
"""What suffices for a board."""
COMMAND_COLUMNS = 106
"""A longer command is continued on the next line, as a shell reads it."""


def table_of(*columns: int | None) -> Table:
    """Columns of these widths in cells, with one between them; None takes what is left."""
    table = Table.grid(padding=(0, 1, 0, 0), expand=True)
    for width in columns:
        table.add_column(width=width, ratio=None if width else 1, overflow="fold")
    return table


def clock(at: datetime, now: datetime) -> str:
    """An instant in the board's zone; of another day, that day."""
    local = at.astimezone(now.tzinfo)
    return f"{local:%H:%M:%S}" if local.date() == now.date() else f"{local:%m-%d}\n{local:%H:%M}"


def countdown(due_at: datetime, now: datetime) -> str:
    left_s = int((due_at - now).total_seconds())
    at = clock(due_at, now).replace("\n", " ")
    return f"{at} in {span(left_s)}" if left_s >= 0 else f"{at} past {span(-left_s)}"


def indented(table: Table) -> RenderableType:
    return Padding(table, (0, 0, 0, 1))


def typed_lines(command: str, style: str) -> Iterator[Text]:
    """In no table, whose cells end in blanks: a blank after a backslash would spoil the copy."""
    for line in command_lines(command):
        yield Text(f"   {line}", style=style, overflow="fold")


def command_lines(command: str, columns: int = COMMAND_COLUMNS) -> list[str]:
    """A command in lines of at most `columns` where it can be broken before an option, each but the last ending in
    a backslash: what stands on the screen can be copied."""
    if not command:
        return []
    lines: list[str] = []
    first, *options = command.split(" --")
    line = first
    for option in options:
        if cell_len(f"{line} --{option} \\") > columns:
            lines.append(f"{line} \\")
            line = f"    --{option}"
        else:
            line = f"{line} --{option}"
    return [*lines, line]
