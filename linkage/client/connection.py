"""Reaching a cluster: why it cannot be reached, and which topics it has."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaConnectionError, KafkaError

from linkage.client.errors import failure, missing, unreachable
from linkage.kafka_connection import client_kwargs
from linkage.settings import KafkaSettings


class _LastWords(logging.Handler):
    """Keeps aiokafka's last complaint: a bad password and a missing CA are named only in its log."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.text = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.text = record.getMessage()


@asynccontextmanager
async def reaching(settings: KafkaSettings) -> AsyncIterator[None]:
    """Turns a failure to connect into KafkaUnreachable, with the cause that only aiokafka's log names."""
    log = logging.getLogger("aiokafka")
    last_words = _LastWords()
    log.addHandler(last_words)
    try:
        yield
    except (KafkaConnectionError, OSError) as error:
        raise unreachable(settings.bootstrap_servers, last_words.text or str(error)) from error
    finally:
        log.removeHandler(last_words)


async def partitions_by_topic(settings: KafkaSettings) -> dict[str, int]:
    """Every topic we may see, with its number of partitions. Asks for all: naming one could create it."""
    async with reaching(settings):
        admin = AIOKafkaAdminClient(**client_kwargs(settings))
        try:
            await admin.start()
            described = await admin.describe_topics()
        except KafkaConnectionError:
            raise
        except KafkaError as error:
            raise failure(error, "looking topics up", settings.bootstrap_servers) from error
        finally:
            await admin.close()
    return {topic["topic"]: len(topic["partitions"]) for topic in described if topic["error_code"] == 0}


async def brokers_count(settings: KafkaSettings) -> int:
    """How many brokers the cluster has now. Raises KafkaUnreachable."""
    async with reaching(settings):
        admin = AIOKafkaAdminClient(**client_kwargs(settings))
        try:
            await admin.start()
            return len((await admin.describe_cluster())["brokers"])
        finally:
            await admin.close()


async def require_topic(settings: KafkaSettings, topic: str) -> int:
    """How many partitions the topic has. Raises TopicMissing, KafkaUnreachable."""
    partitions_count = (await partitions_by_topic(settings)).get(topic, 0)
    if partitions_count == 0:
        raise missing(topic)
    return partitions_count
