"""Delay from a report to the order that follows from it, both committed, in the worker and in the plain loop.

`python -m bench.delay [--bootstrap-servers HOST:PORT]`. The same hops; the same process sends at a steady rate and
listens to the results, read committed. The clock runs from handing the report to the client to having the order.
"""

import argparse
import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from statistics import median

from aiokafka import AIOKafkaConsumer

from bench.measuring import ROUNDS, cluster, percentile, table
from bench.plain_loop import PlainLoop
from bench.quiet import quiet
from bench.worker import LEAD, PARTITIONS, Bench, outgoing, report, serving
from linkage import identity
from linkage.events.base import Frozen
from linkage.runtime.ports import Outgoing
from tests.small_county import NORTH

RATES = ((20, 10), (200, 4))
"""(reports a second, seconds)"""
WARM_COUNT = 20
LISTEN_LIMIT_S = 120
AIM_P50 = 1.5

Answered = Callable[[bytes], str | None]
"""Which report a result answers: its number as text, or None for a result that is not waited for."""
Say = Callable[[int], Awaitable[None]]


async def spans_ms(servers: str, topic: str, answered: Answered, say: Say, rate: int, seconds: int) -> list[float]:
    """Milliseconds for each report after the warm-up."""
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=servers, isolation_level="read_committed", auto_offset_reset="earliest"
    )
    await consumer.start()
    count = WARM_COUNT + rate * seconds
    said: dict[str, float] = {}
    found: dict[str, float] = {}

    async def listen() -> None:
        while len(found) < count:
            record = await consumer.getone()
            number = answered(record.value)
            if number is not None and number in said:
                found.setdefault(number, time.perf_counter() - said[number])

    listening = asyncio.create_task(listen())
    try:
        begun = time.perf_counter()
        for number in range(count):
            await asyncio.sleep(max(0.0, begun + number / rate - time.perf_counter()))
            said[str(number)] = time.perf_counter()
            await say(number)
        await asyncio.wait_for(listening, LISTEN_LIMIT_S)
    finally:
        listening.cancel()
        await consumer.stop()
    return [found[str(number)] * 1_000 for number in range(WARM_COUNT, count)]


async def of_worker(servers: str, rate: int, seconds: int) -> list[float]:
    bench = Bench(servers)
    await bench.prepare()
    count = WARM_COUNT + rate * seconds
    orders = {
        identity.order_id(identity.incident_id(NORTH, "grid", f"r-{number}"), "whistle", 0, 1, LEAD): str(number)
        for number in range(count)
    }

    async def say(number: int) -> None:
        message_id, message = report(number)
        await bench.log.append([outgoing(bench.topics.report("grid"), "grid", message_id, message)])

    def answered(value: bytes) -> str | None:
        return orders.get(json.loads(value).get("order_id", ""))

    async with serving(bench):
        spans = await spans_ms(servers, bench.topics.dispatch(LEAD), answered, say, rate, seconds)
    await bench.log.close()
    return spans


async def of_plain_loop(servers: str, rate: int, seconds: int) -> list[float]:
    bench = Bench(servers)
    names = await bench.peer_topics("plain-delay", "grid", [])
    loop = PlainLoop(servers, *names)
    running = asyncio.create_task(loop.run(WARM_COUNT + rate * seconds))

    async def say(number: int) -> None:
        await bench.log.append([_bare(names[0], *report(number))])

    def answered(value: bytes) -> str | None:
        return str(json.loads(value)["subject"]).removeprefix("street ")

    await asyncio.sleep(2)
    spans = await spans_ms(servers, names[3], answered, say, rate, seconds)
    await running
    await bench.log.close()
    return spans


def _bare(topic: str, message_id: str, message: Frozen) -> Outgoing:
    return outgoing(topic, "grid", message_id, message)


def section(servers: str) -> str:
    """The section of docs/performance.md."""
    rows, words = [], []
    for rate, seconds in RATES:
        runs: dict[str, list[list[float]]] = {"linkage worker": [], "plain loop": []}
        for _ in range(ROUNDS):
            runs["linkage worker"].append(asyncio.run(of_worker(servers, rate, seconds)))
            runs["plain loop"].append(asyncio.run(of_plain_loop(servers, rate, seconds)))
        p50 = {name: median(percentile(spans, 0.5) for spans in found) for name, found in runs.items()}
        p99 = {name: median(percentile(spans, 0.99) for spans in found) for name, found in runs.items()}
        rows += [[f"{rate} a second", name, f"{p50[name]:.1f}", f"{p99[name]:.1f}"] for name in runs]
        ratio = p50["linkage worker"] / p50["plain loop"]
        held = "held" if ratio <= AIM_P50 else "**missed**"
        aim = f" Aim: at most {AIM_P50:g} times: {held}." if rate == RATES[0][0] else ""
        words.append(f"- At {rate} a second the worker's p50 is {ratio:.1f} times the plain loop's.{aim}")
    head = ["rate", "who", "p50 ms", "p99 ms"]
    return f"Medians of {ROUNDS} runs; {PARTITIONS} hub partitions.\n\n{table(head, rows)}\n\n" + "\n".join(words)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bootstrap-servers", help="a cluster that exists; otherwise one is started and stopped")
    told = parser.parse_args()
    quiet()
    with cluster(told.bootstrap_servers) as servers:
        print(section(servers))


if __name__ == "__main__":
    main()
