"""All records that a committed reader of a namespace finds, and their JSON lines.

Bytes that are no UTF-8 stand as lone surrogates (`surrogateescape`), so that a dump loses nothing.
"""

import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from confluent_kafka import Consumer, IsolationLevel, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

ANSWER_LIMIT_S = 20.0
READ_LIMIT_S = 120.0
LIST_LIMIT_RECORDS = 1_000
READ_WAIT_S = 0.5
READER = "linkage-checker"
"""Kafka clients must name a group; nothing is committed under it, no membership is asked for."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One record. `timestamp`: the broker's, milliseconds since 1970. `headers`: the last of each name."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: str | None
    headers: dict[str, str]
    value: str | None


def read_namespace(bootstrap_servers: str, namespace: str) -> list[Entry]:
    """Every topic of the namespace, committed, to the ends asked for at the beginning; in order in each partition.

    Raises KafkaException; TimeoutError if the ends were not reached within READ_LIMIT_S.
    """
    ends = _committed_ends(bootstrap_servers, namespace)
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap_servers,
            "group.id": READER,
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "earliest",
        }
    )
    try:
        consumer.assign([TopicPartition(topic, number, 0) for topic, number in ends])
        return list(_read(consumer, ends))
    finally:
        consumer.close()


def _committed_ends(bootstrap_servers: str, namespace: str) -> dict[tuple[str, int], int]:
    """(topic, partition) -> up to where transactions are decided; partitions with nothing in them are left out."""
    admin = AdminClient({"bootstrap.servers": bootstrap_servers})
    found = admin.list_topics(timeout=ANSWER_LIMIT_S).topics
    wanted = {
        TopicPartition(name, number): OffsetSpec.latest()
        for name, topic in found.items()
        if name.startswith(f"{namespace}.")
        for number in topic.partitions
    }
    if not wanted:
        return {}
    asked = admin.list_offsets(wanted, isolation_level=IsolationLevel.READ_COMMITTED, request_timeout=ANSWER_LIMIT_S)
    ends = {(at.topic, at.partition): answer.result().offset for at, answer in asked.items()}
    return {at: end for at, end in ends.items() if end > 0}


def _read(consumer: Consumer, ends: dict[tuple[str, int], int]) -> Iterator[Entry]:
    """Aborted records and transaction markers leave gaps: a partition is over when its reader stands at its end."""
    unread = dict(ends)
    limit_at = time.monotonic() + READ_LIMIT_S
    while unread:
        if time.monotonic() > limit_at:
            raise TimeoutError(f"not read to their ends within {READ_LIMIT_S:g} s: {sorted(unread)[:5]}")
        for message in consumer.consume(LIST_LIMIT_RECORDS, READ_WAIT_S):
            at = (message.topic(), message.partition())
            error = message.error()
            if error is not None and error.code() != KafkaError._PARTITION_EOF:
                raise KafkaException(error)
            if error is None and message.offset() < ends[at]:
                yield _entry(message)
            if message.offset() >= ends[at] - (error is None):
                unread.pop(at, None)


def _entry(message) -> Entry:
    _kind, timestamp = message.timestamp()
    headers = {name: _text(value) or "" for name, value in message.headers() or ()}
    key, value = _text(message.key()), _text(message.value())
    return Entry(message.topic(), message.partition(), message.offset(), timestamp, key, headers, value)


def _text(found: bytes | None) -> str | None:
    return None if found is None else found.decode("utf-8", "surrogateescape")


def write(path: Path, entries: Iterable[Entry]) -> None:
    """JSON lines, one for each record."""
    with path.open("w", encoding="ascii") as file:
        for entry in entries:
            file.write(json.dumps(asdict(entry)) + "\n")


def load(path: Path) -> list[Entry]:
    """What `write` wrote."""
    with path.open(encoding="ascii") as file:
        return [Entry(**json.loads(line)) for line in file]
