"""What happens, step by step: a slope above Yuntai village moves. Each step waits for facts, never for time.

A worker can be killed at any of ten steps (`KILL_STEPS`); it is always the one that has the township's hub.
"""

from collections.abc import Callable
from dataclasses import dataclass

from linkage import identity
from linkage.client import Publisher
from linkage.demo.follower import Follower
from linkage.demo.players import LATE, REACHED_BY_TELEPHONE, Scene
from linkage.events.base import Counts, Frozen, Place
from linkage.events.dispatch import (
    CountyTeamPromised,
    LentTeamChanged,
    TeamAnswered,
    TeamOrdered,
    TeamOverdue,
    TeamReleased,
)
from linkage.events.inbound import Answer, CloseIncident, ReportIncident
from linkage.events.information import IncidentClosed, IncidentOpened, ReportMerged
from linkage.events.reception import MessageRepeated
from linkage.events.whistle import DepartmentAnswered, DepartmentOverdue, WhistleBlown
from linkage.settings import KafkaSettings
from linkage.topics import Family

TOWNSHIP = "990101002"
VILLAGE = "990101002201"
DECLINING_TEAM = "qingshi-volunteers"
SILENT_TEAM = "qingshi-militia"
REPORT_ID = "grid-20260701-0231"
SECOND_ID = "hotline-20260701-0007"
INCIDENT_ID = identity.incident_id(TOWNSHIP, "grid", REPORT_ID)

KILL_STEPS = {
    1: "right after the first report is published",
    2: "once the whistle is blown",
    3: "once a team has declined and another is ordered",
    4: "once the report was delivered twice",
    5: "once a silent team was replaced by one of the county's",
    6: "right after the second report is published",
    7: "once the county has ordered its teams",
    8: "once the late department has reported in",
    9: "once everybody is at the scene",
    10: "right after the post has closed the incident",
}

REPORT = ReportIncident(
    kind="nat.geo.landslide",
    place=Place(township=TOWNSHIP, village=VILLAGE, group=f"{VILLAGE}02", words="above group 2 二组后山"),
    counts=Counts(people_at_risk=60, dead=0),
    summary="cracks in the slope, stones falling 山体开裂、落石",
)
SECOND = ReportIncident(
    kind="nat.geo.landslide",
    place=Place(township=TOWNSHIP, village=VILLAGE, group=f"{VILLAGE}02", words="group 2 二组"),
    counts=Counts(people_at_risk=120, dead=0),
    summary="the slope above group 2 is moving, 120 people below 二组后山滑动，下方120人",
)


@dataclass
class Story:
    """The story, told through the public client."""

    settings: KafkaSettings
    scene: Scene
    follower: Follower
    at_step: Callable[[int], None]
    tell: Callable[[str], None]

    @property
    def incident_id(self) -> str:
        """Known beforehand: it derives from the first report."""
        return INCIDENT_ID

    async def play(self) -> None:
        """From the first report to the closed incident with every team back. Raises LinkageError."""
        async with (
            Publisher("grid", self.settings) as grid,
            Publisher("hotline", self.settings) as hotline,
            Publisher(TOWNSHIP, self.settings) as post,
        ):
            await self._danger(grid)
            await self._it_is_worse(hotline)
            await self._everybody_comes()
            await self._it_is_over(post)

    async def _danger(self, grid: Publisher) -> None:
        self.tell("grid worker 网格员 reports a landslide danger above Yuntai village 云台村, 60 people")
        await grid.report(REPORT_ID, REPORT)
        self.at_step(1)
        await self._fact("the incident", IncidentOpened, incident_id=self.incident_id)
        await self._fact("the whistle", WhistleBlown)
        self.at_step(2)
        await self._fact("the next team", TeamOrdered, because="declined")
        self.at_step(3)
        self.tell("the grid worker's telephone sends the same report again")
        await grid.report(REPORT_ID, REPORT)
        await self._fact("the repeated receipt", MessageRepeated, message_id=REPORT_ID)
        self.at_step(4)
        await self._fact("the silent team", TeamOverdue, team=SILENT_TEAM)
        await self._promised(1)
        self.at_step(5)

    async def _it_is_worse(self, hotline: Publisher) -> None:
        self.tell("hotline 12345热线: the slope is moving, 120 people below")
        await hotline.report(SECOND_ID, SECOND)
        self.at_step(6)
        await self._fact("the merged report", ReportMerged, incident_id=self.incident_id)
        await self._promised(3)
        self.at_step(7)

    async def _everybody_comes(self) -> None:
        await self._fact("the late department", DepartmentOverdue, party=LATE, awaited=Answer.REPORTED_IN)
        await self._fact("the late department's report-in", DepartmentAnswered, party=LATE, answer=Answer.REPORTED_IN)
        self.at_step(8)
        by_phone = {"party": REACHED_BY_TELEPHONE, "answer": Answer.REPORTED_IN}
        await self._fact("the department reached by telephone", DepartmentAnswered, **by_phone)
        await self._fact("the silent team, told to the county", TeamOverdue, team=SILENT_TEAM, rung=2)
        await self._fact("the own team", TeamAnswered, team="qingshi-rescue", answer=Answer.REPORTED_IN)
        await self._lent_teams("at the scene", "reported_in")
        self.at_step(9)

    async def _it_is_over(self, post: Publisher) -> None:
        self.tell("the slope is held: everybody's work is done, and the post closes the incident")
        self.scene.work_is_done.set()
        await self._lent_teams("back", "released")
        await self._fact("the own team's return", TeamReleased, team="qingshi-rescue")
        by_phone = {"party": REACHED_BY_TELEPHONE, "answer": Answer.DONE}
        await self._fact("the last department's end", DepartmentAnswered, **by_phone)
        whistled = {one.order_id for one in self.follower.facts(DepartmentAnswered) if one.answer is Answer.REPORTED_IN}
        await self.follower.until("every department's end", lambda: self._ended(whistled))
        close = CloseIncident(
            incident_id=self.incident_id,
            reason="slope held, people back 险情解除，群众返回",
            signed_by="Li 李, leader on duty",
        )
        await post.send(Family.COMMAND, "close-1", close)
        self.at_step(10)
        await self._fact("the end", IncidentClosed, incident_id=self.incident_id)
        await self._fact("the silent team's return", TeamReleased, team=SILENT_TEAM)

    def _ended(self, orders: set[str]) -> bool:
        done = {one.order_id for one in self.follower.facts(DepartmentAnswered) if one.answer is Answer.DONE}
        return orders <= done

    async def _promised(self, count: int) -> None:
        """The county has ordered so many of its teams here."""
        await self.follower.until(
            f"{count} county teams", lambda: len(list(self.follower.facts(CountyTeamPromised))) >= count
        )

    async def _lent_teams(self, what: str, state: str) -> None:
        """Every county team that came here is in this state or was."""

        def holds() -> bool:
            promised = {one.order_id for one in self.follower.facts(CountyTeamPromised)}
            told = {one.order_id for one in self.follower.facts(LentTeamChanged) if one.state == state}
            return promised <= told

        await self.follower.until(f"the county's teams {what}", holds)

    async def _fact(self, what: str, kind: type[Frozen], **fields: object) -> None:
        def holds() -> bool:
            return any(
                all(getattr(fact, name) == value for name, value in fields.items())
                for fact in self.follower.facts(kind)
            )

        await self.follower.until(what, holds)
