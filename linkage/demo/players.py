"""The parties, each answering through its own topic what its dispatch topic brings, as people would.

One department reports in late (when it is reminded), an enterprise declines, one department never types and is reached
by telephone; one team declines, one stays silent; all others come. Who answers what follows from who he is, never from
how long anything took.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random  # noqa: TID251  seeded: it only spreads the answers

from linkage.client import Publisher, answer_to, subscribe
from linkage.client.deliveries import Message
from linkage.events.base import Attested, Channel
from linkage.events.inbound import Answer, RecordAnswer
from linkage.events.outbound import DispatchTeam, GiveNotice, StandDown, WhistleDepartment
from linkage.identity import message_id
from linkage.settings import KafkaSettings
from linkage.topics import Family

COMES = (Answer.RECEIVED, Answer.ACCEPTED, Answer.EN_ROUTE, Answer.REPORTED_IN)
PAUSE_S = (0.1, 0.5)
LATENESS_S = 2.0
LATE = "health"
REACHED_BY_TELEPHONE = "police"
DECLINES = "power"
DECLINE_REASON = {
    "power": "line already cut by the slide 线路已被滑坡切断",
    "team": "no vehicle 无车",
}

Order = WhistleDepartment | DispatchTeam | StandDown


@dataclass
class Scene:
    """What the players share: who plays which part, the orders they have seen, when the work is done."""

    settings: KafkaSettings
    post: str
    declining_team: str
    silent_team: str
    chance: Random
    orders: dict[str, Order] = field(default_factory=dict)
    work_is_done: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass
class Player:
    """One party."""

    party: str
    scene: Scene

    async def run(self) -> None:
        """Until cancelled."""
        settings = self.scene.settings
        async with (
            Publisher(self.party, settings) as voice,
            subscribe(self.party, settings) as heard,
            asyncio.TaskGroup() as answering,
        ):
            async for delivery in heard:
                answering.create_task(self._hears(voice, delivery.message))

    async def _hears(self, voice: Publisher, message: Message) -> None:
        match message:
            case WhistleDepartment() | DispatchTeam() as order:
                self.scene.orders[order.order_id] = order
                await self._answers(voice, order)
            case StandDown(team=str()) as order:
                await self._say(voice, order, (Answer.DONE,))
            case GiveNotice(code="overdue", subject=subject) if self.party in (LATE, self.scene.post):
                await self._reminded(voice, self.scene.orders.get(subject))
            case _:
                pass

    async def _answers(self, voice: Publisher, order: WhistleDepartment | DispatchTeam) -> None:
        """Each as he is."""
        match order:
            case WhistleDepartment(party=party) if party == REACHED_BY_TELEPHONE:
                return
            case WhistleDepartment(party=party) if party == DECLINES:
                await self._say(voice, order, (Answer.RECEIVED, Answer.DECLINED), DECLINE_REASON["power"])
            case WhistleDepartment(party=party) if party == LATE:
                await self._say(voice, order, COMES[:-1])
            case DispatchTeam(team=team) if team == self.scene.silent_team:
                return
            case DispatchTeam(team=team) if team == self.scene.declining_team:
                await self._say(voice, order, (Answer.DECLINED,), DECLINE_REASON["team"])
            case _:
                await self._say(voice, order, COMES)
                await self.scene.work_is_done.wait()
                await self._say(voice, order, (Answer.DONE,))

    async def _reminded(self, voice: Publisher, order: Order | None) -> None:
        """The late one comes when it is reminded; the one that never types is telephoned by the post."""
        if not isinstance(order, WhistleDepartment):
            return
        if self.party == LATE == order.party:
            await asyncio.sleep(LATENESS_S)
            await self._say(voice, order, (Answer.REPORTED_IN,))
            await self.scene.work_is_done.wait()
            await self._say(voice, order, (Answer.DONE,))
        elif self.party == self.scene.post and order.party == REACHED_BY_TELEPHONE:
            await self._write_down(voice, order, COMES)
            await self.scene.work_is_done.wait()
            await self._write_down(voice, order, (Answer.DONE,))

    async def _say(self, voice: Publisher, order: Order, answers: Sequence[Answer], reason: str = "") -> None:
        for answer in answers:
            await self._pause()
            await voice.reply(answer_to(order, answer, reason=reason if answer is Answer.DECLINED else ""))

    async def _write_down(self, voice: Publisher, order: WhistleDepartment, answers: Sequence[Answer]) -> None:
        """The post records what it heard by telephone, in the party's name."""
        for answer in answers:
            await self._pause()
            heard_at = datetime.now(UTC)  # noqa: TID251  when the receiver was put down
            attested = Attested(
                on_behalf_of=order.party, channel=Channel.PHONE, heard_at=heard_at, recorded_by="Wang 王, duty deputy"
            )
            said = RecordAnswer(order_id=order.order_id, answer=answer, attested=attested)
            await voice.send(Family.COMMAND, message_id("telephone", order.order_id, answer.value, heard_at), said)

    async def _pause(self) -> None:
        await asyncio.sleep(self.scene.chance.uniform(*PAUSE_S))
