"""`linkage topics apply`: makes the topics that are missing, says how existing ones differ from the topic table, and
gives each journal partition its log identity. Nothing that exists is changed unless told to, and then only settings.
"""

import asyncio
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import for_code
from aiokafka.protocol.admin import AlterConfigsRequest
from aiokafka.protocol.metadata import MetadataRequest

from linkage.errors import LogError, TopicUnknown
from linkage.events.envelope import LogIdentity
from linkage.kafka_connection import client_kwargs
from linkage.runtime.log_identity import first_identity
from linkage.runtime.ports import Log, Outgoing, TopicPartition
from linkage.settings import KafkaSettings
from linkage.topics import Topics, TopicSpec
from linkage.worker.kafka_faults import bounded, close_within

APPLY_LIMIT_MS = 120_000
CREATE_LIMIT_MS = 30_000
CREATE_BATCH_TOPICS = 50
LOG_ID_BYTES = 8
VISIBLE_PAUSE_MS = 20
VISIBLE_LIMIT_MS = 30_000
TOPIC_ALREADY_EXISTS = 36
UNKNOWN_TOPIC = 3

Wanted = Sequence[tuple[str, TopicSpec]]


@dataclass(frozen=True, slots=True)
class TopicReport:
    """What `apply` found and did, in topic order. `differences`: one line each, for a person; empty means as wanted."""

    created: tuple[str, ...]
    altered: tuple[str, ...]
    differences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shape:
    """How a topic is laid out in the cluster."""

    partitions: int
    replication: int


async def apply(
    settings: KafkaSettings,
    county_topics: Wanted,
    partitions: int,
    replication: int,
    min_insync: int,
    *,
    alter: bool = False,
) -> TopicReport:
    """Creates what is missing, compares what exists. `partitions`: of the topics whose row leaves it open.

    With `alter`, settings that differ are set as wanted; partitions and replication never change. Raises LogError when
    the cluster can't be reached, denies it, or refuses a topic (which it then names).
    """
    admin = AIOKafkaAdminClient(**client_kwargs(settings))
    try:
        async with bounded("applying the topics", APPLY_LIMIT_MS):
            await admin.start()
            names = [name for name, _spec in county_topics]
            existing = await _shapes(admin, names)
            missing = [(name, spec) for name, spec in county_topics if name not in existing]
            created = await _create(admin, missing, partitions, replication, min_insync)
            kept = [(name, spec) for name, spec in county_topics if name not in created]
            existing |= await _shapes(admin, [name for name, _ in kept if name not in existing])
            configs = await _configs(admin, [name for name, _ in kept])
            altered = await _alter(admin, kept, configs, min_insync) if alter else []
            if altered:
                configs |= await _altered_configs(admin, kept, altered, min_insync)
    finally:
        await close_within(admin.close, admin.close)
    differences = [
        line
        for name, spec in kept
        for line in [
            *_shape_differences(name, existing[name], Shape(spec.partitions or partitions, replication)),
            *_config_differences(name, configs[name], wanted_configs(spec, min_insync)),
        ]
    ]
    return TopicReport(tuple(created), tuple(altered), tuple(differences))


def wanted_configs(spec: TopicSpec, min_insync: int) -> dict[str, str]:
    """A topic's settings as Kafka names and writes them."""
    return {
        "cleanup.policy": spec.cleanup,
        "max.message.bytes": str(spec.message_limit_bytes),
        "message.timestamp.type": spec.timestamps,
        "min.insync.replicas": str(min_insync),
        "retention.ms": str(spec.retention_ms),
    }


async def known_partitions(log: Log, topic: str, wanted: int) -> int:
    """How many partitions a topic has, once the broker that is asked knows it, so that no log identity is left out.

    Raises LogError after VISIBLE_LIMIT_MS.
    """
    try:
        async with asyncio.timeout(VISIBLE_LIMIT_MS / 1000):
            while not (found := await log.partitions(topic)):  # noqa: ASYNC110  Kafka tells nobody
                await asyncio.sleep(VISIBLE_PAUSE_MS / 1000)
            return found
    except TimeoutError as error:
        raise LogError(
            f"{topic} ({wanted} partitions) was made, but not known within {VISIBLE_LIMIT_MS} ms: apply again"
        ) from error


async def write_log_identities(log: Log, topics: Topics, partitions: int) -> dict[int, str]:
    """Partition -> log id, of which every journal partition has exactly one afterwards, whoever else runs this.

    Initialising the partition's transactional id fences whoever else is about to write one (and a worker that holds
    the partition: run it before workers start). Raises LogError; Fenced when another was faster: run it again.
    """
    identities: dict[int, str] = {}
    for partition in range(partitions):
        at = TopicPartition(topics.journal, partition)
        log_id = await _known_identity(log, at)
        identities[partition] = log_id or await _give_identity(log, topics, at)
    return identities


async def _known_identity(log: Log, at: TopicPartition) -> str | None:
    """Any broker may be asked, and one that has just started knows a new topic last: asked for VISIBLE_LIMIT_MS."""
    give_up_at = time.monotonic() + VISIBLE_LIMIT_MS / 1000
    while True:
        try:
            return await first_identity(log, at)
        except TopicUnknown:
            if time.monotonic() > give_up_at:
                raise
        await asyncio.sleep(VISIBLE_PAUSE_MS / 1000)


async def _give_identity(log: Log, topics: Topics, at: TopicPartition) -> str:
    writer = await log.initialise(topics.transactional_id(at.partition))
    try:
        settled = await _known_identity(log, at)
        if settled is not None:
            return settled
        log_id = secrets.token_hex(LOG_ID_BYTES)
        value = LogIdentity(log_id=log_id).model_dump_json().encode()
        await writer.transact([Outgoing(at.topic, at.partition, None, value)])
        return log_id
    finally:
        await writer.close()


async def _shapes(admin: AIOKafkaAdminClient, names: Sequence[str]) -> dict[str, Shape]:
    """The topics among these that exist; asking creates none."""
    if not names:
        return {}
    answer = await admin._send_request(MetadataRequest(list(names), allow_auto_topic_creation=False))
    shapes: dict[str, Shape] = {}
    for row in answer.to_object()["topics"]:
        if row["error_code"] not in (0, UNKNOWN_TOPIC):
            raise LogError(f"{row['topic']}: {for_code(row['error_code']).message}")
        if row["partitions"]:
            shapes[row["topic"]] = Shape(len(row["partitions"]), len(row["partitions"][0]["replicas"]))
    return shapes


async def _create(
    admin: AIOKafkaAdminClient, missing: Wanted, partitions: int, replication: int, min_insync: int
) -> list[str]:
    created: list[str] = []
    for begin in range(0, len(missing), CREATE_BATCH_TOPICS):
        new = [
            NewTopic(name, spec.partitions or partitions, replication, topic_configs=wanted_configs(spec, min_insync))
            for name, spec in missing[begin : begin + CREATE_BATCH_TOPICS]
        ]
        answer = await admin.create_topics(new, timeout_ms=CREATE_LIMIT_MS)
        for name, code, words, *_ in answer.topic_errors:
            if code not in (0, TOPIC_ALREADY_EXISTS):
                raise LogError(f"can't create {name}: {for_code(code).message}: {words}")
            if code == 0:
                created.append(name)
    while len(await _shapes(admin, created)) < len(created):  # noqa: ASYNC110  Kafka tells nobody
        await asyncio.sleep(VISIBLE_PAUSE_MS / 1000)
    return created


async def _configs(admin: AIOKafkaAdminClient, names: Sequence[str]) -> dict[str, dict[str, str]]:
    if not names:
        return {}
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    configs: dict[str, dict[str, str]] = {}
    for answer in await admin.describe_configs(resources):
        for code, words, _kind, name, entries in answer.resources:
            if code != 0:
                raise LogError(f"can't read the settings of {name}: {for_code(code).message}: {words}")
            configs[name] = {entry[0]: entry[1] for entry in entries}
    return configs


async def _alter(
    admin: AIOKafkaAdminClient, kept: Wanted, configs: Mapping[str, Mapping[str, str]], min_insync: int
) -> list[str]:
    """Sets what differs. AlterConfigs replaces a topic's own settings, so those not in the table fall to defaults."""
    wanted = {name: wanted_configs(spec, min_insync) for name, spec in kept}
    altered = [name for name, configured in wanted.items() if _config_differences(name, configs[name], configured)]
    if altered:
        resources = [(ConfigResourceType.TOPIC, name, list(wanted[name].items())) for name in altered]
        answer: Any = await admin._send_request(AlterConfigsRequest(resources=resources))
        for code, words, _kind, name in answer.resources:
            if code != 0:
                raise LogError(f"can't change the settings of {name}: {for_code(code).message}: {words}")
    return altered


async def _altered_configs(
    admin: AIOKafkaAdminClient, kept: Wanted, altered: Sequence[str], min_insync: int
) -> dict[str, dict[str, str]]:
    """The settings once the change, which a broker learns a moment after it was accepted, is there."""
    wanted = {name: wanted_configs(spec, min_insync) for name, spec in kept}
    while True:
        configs = await _configs(admin, altered)
        if not any(_config_differences(name, configs[name], wanted[name]) for name in altered):
            return configs
        await asyncio.sleep(VISIBLE_PAUSE_MS / 1000)


def _shape_differences(name: str, found: Shape, wanted: Shape) -> list[str]:
    lines: list[str] = []
    if found.partitions != wanted.partitions:
        lines.append(f"{name}: {found.partitions} partitions, wanted {wanted.partitions}; they can't be changed")
    if found.replication != wanted.replication:
        lines.append(
            f"{name}: replication {found.replication}, wanted {wanted.replication}; reassign it with Kafka's tools"
        )
    return lines


def _config_differences(name: str, found: Mapping[str, str], wanted: Mapping[str, str]) -> list[str]:
    return [
        f"{name}: {setting} is {found.get(setting, 'not set')}, wanted {value}"
        for setting, value in wanted.items()
        if found.get(setting) != value
    ]
