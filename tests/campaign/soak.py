"""`python -m tests.campaign.soak`: the long campaign on three real brokers, with real calls as load where they are.

Says what it does while it does it, and its seed; ends with exit code 1 when anything was lost, doubled, or a fault has
no evidence. `--report FILE` writes its table into a document. `--minutes`: no new round begins after that.
"""

import argparse
import asyncio
import csv
import gzip
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager
from itertools import islice
from pathlib import Path
from random import Random

from tests.campaign import disk_faults
from tests.campaign.brokers import Brokers, three_brokers
from tests.campaign.field import Field, real_field, real_settings, small_field
from tests.campaign.ground import Ground
from tests.campaign.plan import planned, possible, rounds
from tests.campaign.report import Run, write
from tests.campaign.rounds import Tally, fight
from tests.conftest import _delete_topics
from tests.kafka.real_county import RealCounty
from tests.kafka.test_real_calls import CALLS

JUDGE_EVERY_FAULTS = 10
NAMESPACE_FAULTS_COUNT = 10
"""The judges read a namespace from its beginning: longer ones take them longer than the faults."""
CALLS_COUNT = 12_000
"""More than are needed: what is not published is not loaded."""
CALLS_LOOKED_AT_COUNT = 24_000
TOWNSHIPS_COUNT = 16
"""The busiest of the file's 62. A client without fetch sessions names every topic in every fetch: with 260 of them
three brokers on two cores spent half their time on that, and a fault took twice as long."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.campaign.soak", description=__doc__)
    parser.add_argument("--faults", type=int, default=200)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000)
    parser.add_argument("--only", action="append", help="A kind; these alone, in this order at first.")
    parser.add_argument("--judge-every", type=int, default=JUDGE_EVERY_FAULTS, help="faults; 1 takes twice as long")
    parser.add_argument("--report", type=Path)
    asked = parser.parse_args()
    began = time.monotonic()
    tell = _telling(began)
    kinds = asked.only or possible()
    tell(f"seed {asked.seed}, {asked.faults} faults of {len(kinds)} kinds, at most {asked.minutes:g} minutes")
    tally = Tally()
    with tempfile.TemporaryDirectory(prefix="linkage-campaign-") as folder:
        try:
            asyncio.run(_campaign(asked, kinds, Path(folder), tally, tell))
        except Exception as error:
            tally.wrong.append(f"the campaign ended early: {type(error).__name__}: {error}")
    run = Run(asked.seed, asked.faults, time.monotonic() - began, tally, with_real_calls=CALLS.exists())
    tell(run.summary())
    for failure in [f"{row.kind}: {row.failure}" for row in tally.rows if row.failure] + tally.wrong:
        print(failure)
    if asked.report is not None:
        write(asked.report, run)
    return 0 if tally.is_clean else 1


def _telling(began: float) -> Callable[[str], None]:
    def tell(words: str) -> None:
        print(f"[{time.monotonic() - began:7.1f} s] {words}", flush=True)

    return tell


async def _campaign(
    asked: argparse.Namespace, kinds: list[str], folder: Path, tally: Tally, tell: Callable[[str], None]
) -> None:
    give_up_at = time.monotonic() + asked.minutes * 60
    calls = await _imported(folder) if CALLS.exists() else iter(())
    todo = list(rounds(planned(asked.seed, asked.faults, kinds), asked.judge_every))
    with ExitStack() as stack:
        data_dir = folder / "kafka"
        if disk_faults.is_possible():
            stack.enter_context(disk_faults.small_disk(data_dir))
        brokers = stack.enter_context(three_brokers(data_dir, tell))
        in_one = max(1, NAMESPACE_FAULTS_COUNT // asked.judge_every)
        for first in range(0, len(todo), in_one):
            if time.monotonic() > give_up_at:
                break
            number = first // in_one + 1
            async with _opened(brokers, folder, number, asked.seed, calls, tell) as field:
                ground = Ground(field, brokers, Random(f"{asked.seed}/{number}"), tell)
                ground.pool = list(field.workers)
                for kinds_of_round in todo[first : first + in_one]:
                    if time.monotonic() < give_up_at:
                        await fight(ground, kinds_of_round, tally)
                tally.steps += len(field.journal.records)
                tally.calls += getattr(field, "published", 0)
            await _delete_topics(brokers.bootstrap_servers, field.settings.namespace)


async def _imported(folder: Path) -> Iterator[str]:
    """The county of the real calls, made once by `linkage import`; its reports, in the feed's order."""
    source = folder / "import"
    source.mkdir()
    calls = source / "calls.csv"
    with gzip.open(CALLS, "rt", encoding="utf-8", newline="") as file, calls.open("w", newline="") as out:
        read = csv.DictReader(file)
        written = csv.DictWriter(out, read.fieldnames or ())
        written.writeheader()
        written.writerows(_of_the_busiest(list(islice(read, CALLS_LOOKED_AT_COUNT))))
    county = RealCounty(real_settings("127.0.0.1:1", "import"), source, 0)
    return iter(await county.imported(calls))


def _of_the_busiest(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """The first calls of the busiest municipalities."""
    busiest = {name for name, _ in Counter(row["twp"] for row in rows).most_common(TOWNSHIPS_COUNT)}
    return [row for row in rows if row["twp"] in busiest][:CALLS_COUNT]


@asynccontextmanager
async def _opened(
    brokers: Brokers, folder: Path, number: int, seed: int, calls: Iterator[str], tell: Callable[[str], None]
) -> AsyncIterator[Field]:
    here = folder / f"field-{number}"
    here.mkdir()
    namespace = f"soak{seed}-{number}"
    if CALLS.exists():
        settings = real_settings(brokers.bootstrap_servers, namespace)
        async with real_field(settings, here, folder / "import" / "county", seed, calls, tell) as field:
            yield field
    else:
        async with small_field(brokers.bootstrap_servers, namespace, here) as small:
            yield small
    shutil.rmtree(here, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
