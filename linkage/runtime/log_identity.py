"""The log identity of each journal partition: what tells a worker that journal and inbox belong together."""

from pydantic import ValidationError

from linkage.errors import LogError
from linkage.events.envelope import JOURNAL, LogIdentity
from linkage.runtime.ports import Log, TopicPartition
from linkage.topics import Topics

READ_WAIT_MS = 500


async def read_log_identities(log: Log, topics: Topics, partitions: int) -> dict[int, str]:
    """Partition -> log id. Raises LogError, which says what to run, when a partition does not begin with one."""
    return {
        partition: await _identity_of(log, TopicPartition(topics.journal, partition)) for partition in range(partitions)
    }


async def first_identity(log: Log, at: TopicPartition) -> str | None:
    """The identity in the first committed record of a journal partition; None when it has no record.

    Raises LogError when the first record is something else.
    """
    begin = (await log.beginning_offsets([at]))[at]
    end = (await log.end_offsets([at]))[at]
    reader = await log.reader({at: begin})
    try:
        while await reader.position(at) < end:
            for record in await reader.read(1, READ_WAIT_MS):
                return _parsed(at, record.value)
    finally:
        await reader.close()
    return None


async def _identity_of(log: Log, at: TopicPartition) -> str:
    if await log.partitions(at.topic) <= at.partition:
        raise LogError(f"{at.topic} [{at.partition}] does not exist: run `linkage topics apply`")
    log_id = await first_identity(log, at)
    if log_id is None:
        raise LogError(f"{at.topic} [{at.partition}] has no log identity: run `linkage topics apply`")
    return log_id


def _parsed(at: TopicPartition, value: bytes | None) -> str:
    try:
        found = JOURNAL.validate_json(value or b"")
    except ValidationError as error:
        raise LogError(f"{at.topic} [{at.partition}] begins with a record that can't be read: {error}") from error
    if not isinstance(found, LogIdentity):
        raise LogError(
            f"{at.topic} [{at.partition}] begins with a {found.type}, not with its log identity:"
            " its beginning was deleted, or the topics were never applied before a worker ran"
        )
    return found.log_id
