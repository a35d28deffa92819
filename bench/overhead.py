"""The cheapest step there is, in the worker and in what a good engineer would build instead, side by side.

`python -m bench.overhead [--events 3000] [--bootstrap-servers HOST:PORT]`. An answer that changes one order; every
candidate reads it from a source topic, appends it to an inbox, and decides it there: two hops.
"""

import argparse
import asyncio

from bench.measuring import ROUNDS, Measured, cluster, median_of, spread, table
from bench.peers import KafkaStreams, default_faust
from bench.quiet import quiet
from bench.same_records import SameRecords
from bench.worker import LEAD, PARTITIONS, Bench, answer, report
from linkage import identity
from tests.small_county import NORTH

AIM_OVER_PLAIN, AIM_UNDER_FAUST = 2.0, 10.0


async def one_round(servers: str, events: int, streams: KafkaStreams) -> list[Measured]:
    """Each candidate once, on topics of its own."""
    bench = Bench(servers)
    await bench.prepare()
    answers = [answer(number) for number in range(events)]
    await bench.append(bench.topics.report("grid"), "grid", [report(number) for number in range(events)])
    await bench.ours("loading", events)
    await bench.append(bench.topics.reply(LEAD), LEAD, answers)
    found = [await bench.ours("linkage worker", events), await bench.plain("answer", LEAD, answers)]
    same = SameRecords(bench.log, bench.topics, identity.partition_of(NORTH, PARTITIONS), events)
    names = await bench.peer_topics("records", LEAD, answers)
    await same.read(names)
    found.append(await same.copied(names))
    names = await bench.peer_topics("faust", LEAD, answers)
    found.append(await asyncio.to_thread(default_faust, servers, events, names))
    if streams.missing is None:
        many = [answer(number) for number in range(10 * events)]
        names = await bench.peer_topics("streams", LEAD, many)
        found.append(await asyncio.to_thread(streams.run, servers, len(many), names))
    await bench.log.close()
    return found


def measured(servers: str, events: int) -> tuple[list[list[Measured]], str | None]:
    """(for each candidate its runs, why Kafka Streams is missing)."""
    streams = KafkaStreams()
    try:
        rounds = [asyncio.run(one_round(servers, events, streams)) for _ in range(ROUNDS)]
    finally:
        streams.close()
    return [list(runs) for runs in zip(*rounds, strict=True)], streams.missing


def section(servers: str, events: int) -> str:
    """The section of docs/performance.md."""
    candidates, missing = measured(servers, events)
    medians = [median_of(runs) for runs in candidates]
    ours, plain, records, faust = medians[:4]
    rows = [
        [one.name, f"{one.cpu_us:.0f}", spread(runs), f"{one.per_second:.0f}", f"{one.cpu_us / plain.cpu_us:.2f}"]
        for one, runs in zip(medians, candidates, strict=True)
    ]
    if missing:
        rows.append(["Kafka Streams exactly_once_v2", "missing", missing, "", ""])
    over, under = ours.cpu_us / plain.cpu_us, faust.cpu_us / ours.cpu_us
    head = ["who", "CPU µs / event", "least to most", "events / s", "of the plain loop's CPU"]
    return (
        f"{events} answers, medians of {ROUNDS} rounds.\n\n{table(head, rows)}\n\n"
        f"- Aim: at most {AIM_OVER_PLAIN:g} times the plain loop. Measured: {over:.1f} times: "
        f"{'held' if over <= AIM_OVER_PLAIN else '**missed**'}.\n"
        f"- Aim: {AIM_UNDER_FAUST:g} times less than default Faust. Measured: {under:.1f} times less: "
        f"{'held' if under >= AIM_UNDER_FAUST else '**missed**'}.\n"
        f"- The worker's own records, copied by its own clients with nothing decided, are "
        f"{records.cpu_us / plain.cpu_us:.1f} times the plain loop already; deciding, reading and encoding them is "
        f"{ours.cpu_us - records.cpu_us:.0f} µs more."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=3_000)
    parser.add_argument("--bootstrap-servers", help="a cluster that exists; otherwise one is started and stopped")
    told = parser.parse_args()
    quiet()
    with cluster(told.bootstrap_servers) as servers:
        print(section(servers, told.events))


if __name__ == "__main__":
    main()
