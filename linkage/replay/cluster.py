"""The journal and the parties' topics as a committed reader finds them, by position, to an end asked for beforehand."""

from collections.abc import AsyncIterator, Mapping, Sequence

from linkage.errors import LogError
from linkage.replay.journal import RawEntry
from linkage.runtime.ports import Log, Record, TopicPartition
from linkage.topics import Topics

READ_LIMIT_RECORDS = 2_000
READ_WAIT_MS = 200


async def journal_partitions(log: Log, topics: Topics) -> list[TopicPartition]:
    """Raises LogError, which says what to run, when there is no journal."""
    count = await log.partitions(topics.journal)
    if count == 0:
        raise LogError(f"{topics.journal} does not exist or is denied: run `linkage topics apply --county DIR`")
    return [TopicPartition(topics.journal, partition) for partition in range(count)]


async def topic_partitions(log: Log, names: Sequence[str]) -> list[TopicPartition]:
    """Every partition of these topics, in order."""
    return [TopicPartition(name, number) for name in sorted(names) for number in range(await log.partitions(name))]


async def records_between(
    log: Log, begins: Mapping[TopicPartition, int], ends: Mapping[TopicPartition, int]
) -> AsyncIterator[Sequence[Record]]:
    """Committed records from the beginnings to the ends, list by list, partition after partition."""
    for at in sorted(ends):
        if begins[at] >= ends[at]:
            continue
        reader = await log.reader({at: begins[at]})
        try:
            while await reader.position(at) < ends[at]:
                records = await reader.read(READ_LIMIT_RECORDS, READ_WAIT_MS)
                yield [record for record in records if record.offset < ends[at]]
        finally:
            await reader.close()


def raw_entries(records: Sequence[Record]) -> list[RawEntry]:
    """Records of the journal topic as entries."""
    return [RawEntry(one.partition, one.offset, one.timestamp_ms, one.value or b"") for one in records]
