"""Folding a journal beside reading it, from Kafka, by recovery's own function; and verify. `python -m bench.folding`

What is read stands in one partition of a topic made for this.
"""

import argparse
import asyncio
import secrets
import time
from collections.abc import Sequence
from statistics import median

from bench.calls import imported, simulated
from bench.measuring import ROUNDS, cluster, table
from bench.quiet import quiet
from bench.real_work import MISSING
from linkage.events.envelope import JOURNAL
from linkage.replay.journal import RawEntry
from linkage.replay.verify import verify
from linkage.runtime.ports import Outgoing, TopicPartition
from linkage.runtime.progress import LoopLimits, Progress
from linkage.runtime.recovery import fold_journal
from linkage.settings import KafkaSettings
from linkage.topics import Family, spec_of
from linkage.worker import topic_admin
from linkage.worker.asyncio_time import AsyncioTime
from linkage.worker.kafka_log import KafkaLog

AIM_SHARE = 0.5


async def written(log: KafkaLog, settings: KafkaSettings, values: Sequence[bytes]) -> TopicPartition:
    """The journal in a topic of one partition."""
    name = f"{settings.namespace}.folding"
    await topic_admin.apply(settings, [(name, spec_of(Family.JOURNAL))], 1, 1, 1)
    for first in range(0, len(values), 200):
        await log.append([Outgoing(name, 0, None, value) for value in values[first : first + 200]])
    return TopicPartition(name, 0)


async def read_us(log: KafkaLog, at: TopicPartition, count: int, *, decoding: bool) -> float:
    """CPU microseconds a record."""
    reader = await log.reader({at: 0})
    begun, seen = time.process_time(), 0
    while seen < count:
        for record in await reader.read(LoopLimits().fold_yield_records, 100):
            seen += 1
            if decoding:
                JOURNAL.validate_json(record.value or b"")
    spent_s = time.process_time() - begun
    await reader.close()
    return spent_s / count * 1e6


async def fold_us(log: KafkaLog, at: TopicPartition, log_id: str, count: int) -> float:
    begun = time.process_time()
    await fold_journal(log, AsyncioTime(), at, log_id, LoopLimits(), Progress("bench"))
    return (time.process_time() - begun) / count * 1e6


async def rounds(servers: str, values: Sequence[bytes], log_id: str) -> dict[str, float]:
    """What -> CPU microseconds a record, medians."""
    settings = KafkaSettings(bootstrap_servers=servers, namespace=f"bench-{secrets.token_hex(3)}")
    log = KafkaLog(settings)
    at, count = await written(log, settings, values), len(values)
    found: dict[str, list[float]] = {"read": [], "read and decode": [], "read, decode and fold": []}
    for _ in range(ROUNDS):
        found["read"].append(await read_us(log, at, count, decoding=False))
        found["read and decode"].append(await read_us(log, at, count, decoding=True))
        found["read, decode and fold"].append(await fold_us(log, at, log_id, count))
    await log.close()
    return {what: median(spans) for what, spans in found.items()}


def section(servers: str, count: int) -> str:
    """The section of docs/performance.md."""
    with imported() as calls:
        if calls is None:
            return MISSING
        outcome = simulated(calls.county, calls.said[:count]).outcome
    busiest = max(range(4), key=lambda number: sum(one.partition == number for one in outcome.journal))
    values = [one.value or b"" for one in outcome.journal if one.partition == busiest]
    log_id = JOURNAL.validate_json(values[0]).log_id  # type: ignore[union-attr]
    found = asyncio.run(rounds(servers, values, log_id))
    entries = [RawEntry(one.partition, one.offset, one.timestamp_ms, one.value or b"") for one in outcome.journal]
    begun = time.process_time()
    verified = verify(entries)
    found["verify (decide again and compare)"] = (time.process_time() - begun) / verified.decided * 1e6
    rows = [[what, f"{us:.0f}", f"{1e6 / us:.0f}"] for what, us in found.items()]
    share = found["read and decode"] / found["read, decode and fold"]
    held = "held" if share >= AIM_SHARE else "**missed**"
    return (
        f"A journal of {len(values)} records, {sum(map(len, values)) / len(values):,.0f} bytes each; "
        f"medians of {ROUNDS}, verify once over {verified.decided} steps ({verified.differences} differences).\n\n"
        f"{table(['what', 'CPU µs / record', 'records / s'], rows)}\n\n"
        f"- Aim: folding at least half the rate of read + decode: {share:.2f} of it, {held}."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=200)
    parser.add_argument("--bootstrap-servers", help="a cluster that exists; otherwise one is started and stopped")
    told = parser.parse_args()
    quiet()
    with cluster(told.bootstrap_servers) as servers:
        print(section(servers, told.calls))


if __name__ == "__main__":
    main()
