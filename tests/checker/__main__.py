"""`python -m tests.checker --bootstrap-servers HOST:PORT --namespace NAME`: judges a county at rest.

`--dump FILE` keeps what was read; `--from FILE` judges a dump again; `--gone TOPIC` names a topic deleted on purpose.
Prints what it counted and one line for each violation; exit code 1 if there is any, 2 if there was nothing to judge.
"""

import argparse
import json
import sys
from collections import Counter
from pathlib import Path

from tests.checker import dump
from tests.checker.contract import Contract
from tests.checker.judge import judge

SHOWN_LIMIT_COUNT = 50


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.checker", description=__doc__)
    parser.add_argument("--bootstrap-servers")
    parser.add_argument("--namespace", default="linkage")
    parser.add_argument("--dump", type=Path)
    parser.add_argument("--from", type=Path, dest="source")
    parser.add_argument("--gone", action="append", default=[])
    asked = parser.parse_args()
    if (asked.source is None) == (asked.bootstrap_servers is None):
        parser.error("name either --bootstrap-servers or --from")
    entries = dump.load(asked.source) if asked.source else dump.read_namespace(asked.bootstrap_servers, asked.namespace)
    if asked.dump:
        dump.write(asked.dump, entries)
    contract = Contract()
    violations = judge(entries, contract, frozenset(asked.gone))
    places = [contract.place(entry.topic) for entry in entries]
    counts = Counter(place.channel if place else "unknown" for place in places)
    print(json.dumps({**dict(sorted(counts.items())), "violations": len(violations)}))
    for violation in violations[:SHOWN_LIMIT_COUNT]:
        print(violation)
    if not counts["journal"]:
        print("no journal: nothing was judged")
        return 2
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
