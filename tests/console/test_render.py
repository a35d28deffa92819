"""How a board looks in a terminal of 110 columns."""

import subprocess
from io import StringIO

from rich.cells import cell_len
from rich.console import Console

from linkage.console import typed
from linkage.console.entry import is_change
from linkage.console.layout import WIDTH_COLUMNS, command_lines
from linkage.console.render import fitted
from linkage.events.base import Counts
from linkage.events.dispatch import TeamOverdue
from linkage.events.whistle import DepartmentOverdue
from tests.console.boards import Watched, play, shown


def test_a_full_board_fits_110_columns_with_its_sections_in_order() -> None:
    """Every line fits, double-width characters counted; waits come before incidents, overdue and the last facts."""

    async def story(watched: Watched) -> None:
        world = watched.world
        await world.report("r1", counts=Counts(people_at_risk=120))
        await world.fact(TeamOverdue)
        await world.fact(DepartmentOverdue, rung=2)
        text = shown(await watched.board())
        assert max(cell_len(line) for line in text.splitlines()) <= WIDTH_COLUMNS
        order = [text.index(title) for title in ("WAITS FOR YOU 待办", "OPEN INCIDENTS", "OVERDUE 逾期", "LAST 最近")]
        assert order == sorted(order)
        assert "北镇指挥部 North township post" in text.splitlines()[0]
        assert not [line for line in text.splitlines() if line.rstrip().endswith("\\") and line.endswith(" ")]

    play(story)


def test_a_small_terminal_goes_without_the_last_facts_before_what_waits() -> None:
    """Given a board of more lines than the terminal has, then it is cut to fit, from the bottom, and says so."""

    async def story(watched: Watched) -> None:
        await watched.world.report("r1", counts=Counts(people_at_risk=120))
        await watched.world.fact(DepartmentOverdue, rung=2)
        board = await watched.board()
        whole = shown(board).splitlines()
        console = Console(width=WIDTH_COLUMNS, height=len(whole) - 2, record=True, file=StringIO())
        console.print(fitted(board, console))
        text = console.export_text()
        assert len(text.splitlines()) < console.height
        assert "more: linkage watch" in text
        assert text[: text.index("LAST")] == shown(board)[: shown(board).index("LAST")]

    play(story)


def test_a_long_command_is_continued_as_a_shell_reads_it() -> None:
    """What stands on the screen can be copied: the lines together are the command."""
    command = typed.record_answer("990101002", "O-0123456789abcdef", "natural-resources")
    lines = command_lines(command)
    assert len(lines) > 1
    assert all(cell_len(line) <= WIDTH_COLUMNS for line in lines)
    script = "linkage() { printf '%s\\n' linkage \"$@\"; }\n" + "\n".join(lines)
    read = subprocess.run(["sh", "-c", script], capture_output=True, check=True, text=True).stdout
    assert read.splitlines() == command.split()
    assert command_lines("") == []


def test_a_change_is_more_than_the_time() -> None:
    """Lines of `watch --json` come when something is new, not each second."""
    header = {"at": "1", "inbox": None, "ingress": None, "position": 1, "problem": None}
    board = {"header": header, "waits": []}
    assert is_change(None, board)
    assert not is_change(board, {"header": {**header, "at": "2", "position": 2}, "waits": []})
    assert is_change(board, {"header": {**header, "problem": "Kafka is away"}, "waits": []})
    assert is_change(board, {"header": header, "waits": ["one"]})
