"""Recovery, the only way there is: fold the committed journal to its end, then find where the inbox goes on."""

from pydantic import ValidationError

from linkage import engine
from linkage.engine import Partition
from linkage.errors import ForeignLog, UnknownFact
from linkage.events.envelope import JOURNAL, JournalRecord, LogIdentity
from linkage.runtime.ports import Log, Record, Time, TopicPartition
from linkage.runtime.progress import LoopLimits, Progress


async def fold_journal(
    log: Log, time: Time, journal: TopicPartition, log_id: str, limits: LoopLimits, progress: Progress
) -> Partition:
    """The committed journal of one partition, folded to its end as of now, yielding so that heartbeats go on."""
    end = (await log.end_offsets([journal]))[journal]
    beginning = (await log.beginning_offsets([journal]))[journal]
    reader = await log.reader({journal: beginning})
    partition, progress.folded_records = Partition(), 0
    try:
        while await reader.position(journal) < end:
            for record in await reader.read(limits.fold_yield_records, limits.read_wait_ms):
                partition = _folded(partition, record, log_id)
                progress.folded_records += 1
            progress.prepared(time.monotonic_ms())
            await time.sleep(0)
    finally:
        await reader.close()
    return partition


def _folded(partition: Partition, record: Record, log_id: str) -> Partition:
    try:
        entry = JOURNAL.validate_json(record.value or b"")
    except ValidationError as error:
        raise UnknownFact(
            f"journal record {record.partition}/{record.offset} can't be read by this version "
            f"({error.errors()[0]['msg']}): a newer worker wrote it; upgrade this one"
        ) from error
    match entry:
        case JournalRecord():
            return engine.fold(partition, entry)
        case LogIdentity():
            if entry.log_id != log_id:
                raise ForeignLog(
                    f"journal {record.partition} is log {entry.log_id}, this worker was started for {log_id}"
                )
            return partition


async def inbox_position(log: Log, inbox: TopicPartition, journaled: int) -> tuple[int, int]:
    """(the next inbox offset to decide, the inbox's end). Raises ForeignLog when it can't be this journal's inbox."""
    next_offset = journaled + 1
    beginning = (await log.beginning_offsets([inbox]))[inbox]
    end = (await log.end_offsets([inbox]))[inbox]
    if next_offset < beginning:
        raise ForeignLog(
            f"inbox {inbox.partition} begins at {beginning}, the journal needs {next_offset}: records expired unread. "
            "Restore them, or have a person decide what was lost"
        )
    if next_offset > end:
        raise ForeignLog(
            f"inbox {inbox.partition} ends at {end}, the journal stands at {next_offset}: "
            "this inbox is not the one the journal was written from"
        )
    return next_offset, end
