"""Faust as its manual shows it: two agents, a Table, `send`. `python -m bench.default_faust SERVERS EVENTS TOPICS...`

The same two hops and the same work for each event as the plain loop. Prints its own CPU and wall time, from the first
event to the last, as JSON, and ends. At least once, and not exact after a crash.
"""

import json
import os
import sys
import tempfile
import time

import faust
from faust.worker import Worker

from bench.plain_loop import MESSAGE
from linkage.events.inbound import AnswerOrder


def main() -> None:
    servers, events, *names = sys.argv[1:]
    app = faust.App(
        names[1].replace(".", "-"),
        broker=f"kafka://{servers}",
        store="memory://",
        topic_partitions=1,
        web_enabled=False,
        datadir=tempfile.mkdtemp(prefix="linkage-bench-faust-"),
    )
    add_agents(app, names, int(events))
    worker = Worker(app, quiet=True, redirect_stdouts=False, loglevel="ERROR")
    worker.spinner = None
    worker.execute_from_commandline()


def add_agents(app: faust.App, names: list[str], events: int) -> None:
    """Both hops. The process ends with the last event."""
    source, inbox, journal, results = (
        app.topic(name, key_type=bytes, value_type=bytes, value_serializer="raw", key_serializer="raw")
        for name in names
    )
    seen = app.Table("seen", default=int, partitions=1)
    clocks: list[tuple[float, float]] = []
    done = 0

    @app.agent(source)
    async def admit(stream):  # type: ignore[no-untyped-def]
        async for event in stream.events():
            if not clocks:
                clocks.append((time.perf_counter(), time.process_time()))
            message = MESSAGE.validate_json(event.value)
            await inbox.send(key=event.key, value=message.model_dump_json().encode())

    @app.agent(inbox)
    async def decide(stream):  # type: ignore[no-untyped-def]
        nonlocal done
        async for event in stream.events():
            message = MESSAGE.validate_json(event.value)
            subject = message.order_id if isinstance(message, AnswerOrder) else message.place.words
            seen[subject] = count = seen[subject] + 1
            await journal.send(key=event.key, value=b'{"position":%d,"inbox":%b}' % (event.message.offset, event.value))
            await results.send(key=event.key, value=b'{"subject":"%b","seen":%d}' % (subject.encode(), count))
            done += 1
            if done == events:
                _tell(*clocks[0])


def _tell(wall: float, cpu: float) -> None:
    print(json.dumps({"wall_s": time.perf_counter() - wall, "cpu_s": time.process_time() - cpu}), flush=True)
    os._exit(0)


if __name__ == "__main__":
    main()
