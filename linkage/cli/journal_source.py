"""Where replay and audit read: a journal file, or the cluster, list by list, up to the ends asked for at the start."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from linkage.cli.show import print_problem

if TYPE_CHECKING:
    from linkage.replay.journal import JournalSource, Progress
    from linkage.runtime.ports import Record, TopicPartition
    from linkage.settings import KafkaSettings
    from linkage.worker.kafka_log import KafkaLog

NOTE_EVERY_RECORDS = 20_000


class Cluster:
    """The log of a cluster for code that waits: its loop runs only while a list is being read."""

    def __init__(self, runner: asyncio.Runner, settings: "KafkaSettings", log: "KafkaLog") -> None:
        self.settings = settings
        self._runner = runner
        self._log = log

    @property
    def names(self) -> list[str]:
        """Every topic that may be seen."""
        from linkage.client.connection import partitions_by_topic

        return sorted(self._runner.run(partitions_by_topic(self.settings)))

    def journal_partitions(self) -> "list[TopicPartition]":
        """Raises LogError when there is no journal."""
        from linkage.replay.cluster import journal_partitions

        return self._runner.run(journal_partitions(self._log, self.settings.topics))

    def partitions_of(self, names: Sequence[str]) -> "list[TopicPartition]":
        from linkage.replay.cluster import topic_partitions

        return self._runner.run(topic_partitions(self._log, names))

    def begins(self, partitions: "Sequence[TopicPartition]") -> "dict[TopicPartition, int]":
        return self._runner.run(self._log.beginning_offsets(partitions)) if partitions else {}

    def ends(self, partitions: "Sequence[TopicPartition]") -> "dict[TopicPartition, int]":
        return self._runner.run(self._log.end_offsets(partitions)) if partitions else {}

    def records(
        self, begins: "Mapping[TopicPartition, int]", ends: "Mapping[TopicPartition, int]"
    ) -> "Iterator[Record]":
        """Committed records of these spans, partition after partition."""
        from linkage.replay.cluster import records_between

        lists = records_between(self._log, begins, ends)
        try:
            while (records := self._runner.run(_next_list(lists))) is not None:
                yield from records
        finally:
            self._runner.run(_closed(lists))

    def journal(self) -> "JournalSource":
        """The whole journal, to its end as of now."""
        from linkage.replay.cluster import raw_entries

        partitions = self.journal_partitions()
        return raw_entries_of(self.records(self.begins(partitions), self.ends(partitions)), raw_entries)


def raw_entries_of(records: "Iterator[Record]", convert: Any) -> "JournalSource":
    return (entry for record in records for entry in convert([record]))


async def _next_list(lists: "AsyncIterator[Sequence[Record]]") -> "Sequence[Record] | None":
    return await anext(lists, None)


async def _closed(lists: Any) -> None:
    await lists.aclose()


@contextmanager
def opened_cluster(settings: "KafkaSettings") -> Iterator[Cluster]:
    """Connects; raises KafkaUnreachable."""
    from linkage.client.connection import brokers_count
    from linkage.worker.kafka_log import KafkaLog

    with asyncio.Runner() as runner:
        runner.run(brokers_count(settings))
        log = runner.run(_log_of(KafkaLog, settings))
        try:
            yield Cluster(runner, settings, log)
        finally:
            runner.run(log.close())


async def _log_of(make: Any, settings: "KafkaSettings") -> "KafkaLog":
    log: KafkaLog = make(settings)
    return log


@contextmanager
def opened_journal(file: Path | None, settings: "KafkaSettings") -> "Iterator[JournalSource]":
    """The journal of a file, or of the cluster when there is none. Raises LinkageError."""
    from linkage.replay.journal import read_file

    if file is not None:
        yield read_file(file)
        return
    with opened_cluster(settings) as cluster:
        yield cluster.journal()


def noting(what: str) -> "Progress":
    """A line on stderr for each so many records, so that a long read is seen to go on."""
    noted = 0

    def note(records: int) -> None:
        nonlocal noted
        if records >= noted + NOTE_EVERY_RECORDS:
            noted = records
            print_problem(f"{what}: {records} records")

    return note
