"""Boards of simulated flows: the real loops on the memory log, a real follower, and the board at the end."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from io import StringIO
from zoneinfo import ZoneInfo

from rich.console import Console

from linkage.console.board import Board
from linkage.console.follow import Follower
from linkage.console.layout import WIDTH_COLUMNS
from linkage.console.render import WHOLE, Rows, rendered
from linkage.events.base import instant
from linkage.simulation.cluster import Cluster
from tests.behaviour import simulated
from tests.behaviour.world import World
from tests.small_county import NORTH

Story = Callable[["Watched"], Awaitable[None]]
SHANGHAI = ZoneInfo("Asia/Shanghai")


class Watched:
    """A world, and the boards its posts see."""

    def __init__(self, world: World, cluster: Cluster) -> None:
        self.world = world
        self.cluster = cluster
        self.followers: dict[str, Follower] = {}

    async def board(self, post: str = NORTH, later: timedelta = timedelta(0)) -> Board:
        """The post's board as of now, or as it is `later` if nothing happens."""
        follower = self.followers.get(post)
        if follower is None:
            follower = await Follower.of(self.world.log, self.world.topics, post)
            self.followers[post] = follower
        await follower.look(self.world.time.now_ms())
        return follower.board(self.now() + later)

    async def board_with(self, wanted: Callable[[Board], bool], post: str = NORTH, limit_s: float = 40) -> Board:
        """The first board that has it. Fails, showing the last, when none comes."""
        give_up_at_ms = self.world.time.monotonic_ms() + int(limit_s * 1000)
        while not wanted(board := await self.board(post)):
            assert self.world.time.monotonic_ms() < give_up_at_ms, shown(board)
            await self.world.time.sleep(50)
        return board

    def now(self) -> datetime:
        return instant(self.world.time.now_ms()).astimezone(SHANGHAI)


def play(story: Story, scale: float = simulated.SCALE) -> None:
    """Loads the small county and plays a story to its end, in virtual time."""
    made = simulated.cluster(seed=1)
    world = World(made.outside, made.time.world, made.topics, scale)
    watched = Watched(world, made)

    async def whole() -> None:
        await world.load()
        await story(watched)
        for follower in watched.followers.values():
            await follower.close()

    try:
        made.time.run_until(whole(), simulated.FLOW_LIMIT_VIRTUAL_MS)
    finally:
        made.close()


def shown(board: Board, rows: Rows = WHOLE) -> str:
    """The board as text."""
    console = Console(width=WIDTH_COLUMNS, record=True, file=StringIO())
    console.print(rendered(board, rows))
    return console.export_text()
