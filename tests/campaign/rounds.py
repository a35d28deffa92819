"""Rounds of faults, each round ended by settling and by the judges: the checker, audit and verify."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from tests.campaign.ground import Ground, Strike, taken_over_ms, undecided_at, waited_ms
from tests.campaign.kinds import KINDS
from tests.kafka.exactness import assert_exact

SETTLE_LIMIT_S = 180.0
JUDGE_LIMIT_S = 240.0
LOOK_PAUSE_S = 0.5
TOLD_LIMIT_CHARACTERS = 1_500


@dataclass(frozen=True, slots=True)
class Row:
    """One fault of the report. Spans in milliseconds; `waited_ms`: of the hubs that were not concerned."""

    kind: str
    evidence: str
    taken_over_ms: tuple[int, ...] = ()
    waited_ms: int | None = None
    undecided: int | None = None
    failure: str = ""
    is_exact: bool = True
    """What the judges said of its round."""


@dataclass(slots=True)
class Tally:
    rows: list[Row] = field(default_factory=list)
    judged: int = 0
    """How many rounds the judges found exact."""
    wrong: list[str] = field(default_factory=list)
    """What they found wrong."""
    calls: int = 0
    steps: int = 0

    @property
    def is_clean(self) -> bool:
        return not self.wrong and not any(row.failure for row in self.rows)


async def fight(ground: Ground, kinds: Sequence[str], tally: Tally) -> None:
    """Each fault from a whole county on; then everything settles and is judged. What fails is kept and told."""
    struck: list[tuple[str, Strike, int]] = []
    for kind in kinds:
        began = time.monotonic()
        try:
            await ground.whole()
            strike = await KINDS[kind](ground)
        except Exception as error:
            tally.rows.append(Row(kind, "", failure=f"{type(error).__name__}: {error}"))
            ground.tell(f"FAILED {kind}: {type(error).__name__}: {str(error)[:TOLD_LIMIT_CHARACTERS]}")
            continue
        struck.append((kind, strike, time.time_ns() // 1_000_000))
        ground.tell(f"{kind}: {strike.evidence} ({time.monotonic() - began:.1f} s)")
    try:
        await at_rest(ground)
    except Exception as error:
        tally.wrong.append(f"not whole again after {', '.join(kinds)}: {type(error).__name__}: {error}")
        ground.tell(f"WRONG {tally.wrong[-1][:TOLD_LIMIT_CHARACTERS]}")
    is_exact = await judged(ground, tally)
    tally.rows += [replace(measured(ground, *one), is_exact=is_exact) for one in struck]


def measured(ground: Ground, kind: str, strike: Strike, over_ms: int) -> Row:
    """Its times; a fault that found too little undecided did not strike at work, and fails."""
    journal = ground.field.journal
    undecided = undecided_at(journal, strike.at_ms)
    failure = ""
    if undecided < strike.undecided_at_least:
        failure = f"only {undecided} records undecided at the fault, wanted {strike.undecided_at_least}"
    over_ms = min(over_ms, strike.at_ms + max(taken_over_ms(journal, strike), default=0))
    waited = waited_ms(journal, strike, over_ms, ground.every_partition)
    return Row(kind, strike.evidence, tuple(taken_over_ms(journal, strike)), waited, undecided, failure)


async def at_rest(ground: Ground) -> None:
    """Everything that came is decided, and no worker runs any more that could decide something else.

    Deadlines go on while the county settles: an order may leave, or a message between hubs, while the workers end. So
    the parties fall silent first, and when something was left undecided all the same, the workers begin anew.
    """
    await ground.whole()
    await ground.field.settled(SETTLE_LIMIT_S)
    ground.field.speaking.are_silent = True
    async with asyncio.timeout(SETTLE_LIMIT_S):
        while True:
            await ground.whole()
            while await _left(ground):  # noqa: ASYNC110
                await asyncio.sleep(LOOK_PAUSE_S)
            await ground.field.end_workers()
            await _followed(ground)
            if not await _left(ground):
                return


async def _followed(ground: Ground) -> None:
    """What is known of the journal is all of it."""
    field = ground.field
    there = len(await field.records(field.topics.journal))
    while len(field.journal.records) + len(field.journal.log_ids) < there:  # noqa: ASYNC110
        await asyncio.sleep(LOOK_PAUSE_S)


async def _left(ground: Ground) -> int:
    return await ground.field.undecided() + ground.field.journal.hubs_are_owed


async def judged(ground: Ground, tally: Tally) -> bool:
    """Is it exact? By processes of their own, at rest; the workers are begun anew by the next round."""
    began, found = time.monotonic(), len(tally.wrong)
    try:
        await assert_exact(ground.field, sorted(ground.field.gone), JUDGE_LIMIT_S)
        tally.judged += 1
        ground.tell(f"judged: exact, {len(ground.field.journal.records)} steps ({time.monotonic() - began:.1f} s)")
    except Exception as error:
        tally.wrong.append(f"{type(error).__name__}: {error}")
        ground.tell(f"WRONG {type(error).__name__}: {error}")
    ground.pool = []
    ground.field.speaking.are_silent = False
    return len(tally.wrong) == found
