"""End offsets of those partitions that can be asked."""

from collections.abc import Sequence

import structlog

from linkage.errors import LogError
from linkage.runtime.ports import Log, TopicPartition

_LOG = structlog.get_logger("linkage.worker")


async def ends_of_those_there(log: Log, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
    """All at once, or else one by one: a topic that is away or denied hides no other."""
    try:
        return await log.end_offsets(partitions) if partitions else {}
    except LogError:
        ends: dict[TopicPartition, int] = {}
        for at in partitions:
            try:
                ends |= await log.end_offsets([at])
            except LogError as error:
                _LOG.warning("cannot_ask", topic=at.topic, detail=str(error))
        return ends
