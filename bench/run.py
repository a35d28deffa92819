"""`make bench`: everything that fits into twenty minutes, on one real Kafka, written into docs/performance.md.

`python -m bench.run [--only NAME ...] [--long]`. `--long`: the whole file of calls and the simulated year instead.
"""

import argparse
import time
from collections.abc import Callable

from bench import delay, folding, overhead, real_work, take_over, year
from bench.document import write_section
from bench.measuring import cluster, environment
from bench.quiet import quiet

ANSWERS, CALLS, FOLDED_CALLS = 3_000, 300, 200

SECTIONS: dict[str, Callable[[str], str]] = {
    "overhead": lambda servers: overhead.section(servers, ANSWERS),
    "real-work": lambda servers: real_work.section(servers, CALLS),
    "delay": delay.section,
    "folding": lambda servers: folding.section(servers, FOLDED_CALLS),
    "take-over": take_over.section,
}
LONG: dict[str, Callable[[], str]] = {
    "year": lambda: year.section(year.PER_DAY, year.DAYS),
    "whole-file": lambda: real_work.section("", 0, is_whole=True),
}
"""The year first: it shows the process's memory, and the whole file's journal stands in memory."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", choices=[*SECTIONS, *LONG], help="these sections, the others stay")
    parser.add_argument("--long", action="store_true", help="the long ones: the whole file, the simulated year")
    parser.add_argument("--bootstrap-servers", help="a cluster that exists; otherwise one is started and stopped")
    told = parser.parse_args()
    quiet()
    known = LONG if told.long else SECTIONS
    wanted = [name for name in known if not told.only or name in told.only]
    if told.long:
        for name in wanted:
            _done(name, LONG[name])
        return
    with cluster(told.bootstrap_servers) as servers:
        for name in wanted:
            _done(name, lambda name=name: SECTIONS[name](servers))  # type: ignore[misc]


def _done(name: str, section: Callable[[], str]) -> None:
    begun = time.perf_counter()
    text = section()
    took_s = time.perf_counter() - begun
    write_section(name, f"_{environment()}. Took {took_s:.0f} s._\n\n{text}")
    print(f"{name}: {took_s:.0f} s\n\n{text}\n", flush=True)


if __name__ == "__main__":
    main()
