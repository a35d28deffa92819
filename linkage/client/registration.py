"""The registry topic: who may speak, as the county last loaded it. One entry for each party, the newest counts."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from pydantic import ValidationError

from linkage import identity, wire
from linkage.client.connection import reaching, require_topic
from linkage.client.errors import failure
from linkage.client.outlet import Outlet, encoded
from linkage.errors import LinkageError
from linkage.events.envelope import REGISTRY
from linkage.events.reference import RegisterParty
from linkage.kafka_connection import client_kwargs
from linkage.settings import KafkaSettings

READ_WAIT_MS = 200


@dataclass(frozen=True, slots=True)
class Registration:
    """Which parties were written, and which are no longer registered, sorted by id."""

    registered: tuple[str, ...]
    removed: tuple[str, ...]


async def register(settings: KafkaSettings, entries: Iterable[RegisterParty]) -> Registration:
    """Makes the registry hold exactly these parties; returns when all in-sync replicas have it.

    Raises LinkageError when the namespace holds another county's registry, or a topic is missing.
    """
    wanted = {entry.party.id: entry for entry in entries}
    known = await registered(settings)
    foreign = {entry.county for entry in known.values()} - {entry.county for entry in wanted.values()}
    if foreign:
        raise LinkageError(
            f"namespace {settings.namespace} holds the registry of county {', '.join(sorted(foreign))}. "
            "Give each county, and each drill, a --namespace of its own"
        )
    topic = settings.topics.registry
    removed = sorted(known.keys() - wanted.keys())
    async with Outlet(settings) as outlet:
        placed = [(party, await _post(outlet, topic, entry)) for party, entry in sorted(wanted.items())]
        placed += [(party, await outlet.erase(topic, party)) for party in removed]
        for party, record in placed:
            try:
                await record
            except Exception as error:
                raise outlet.explained(error, topic, party) from error
    return Registration(tuple(sorted(wanted)), tuple(removed))


async def registered(settings: KafkaSettings) -> dict[str, RegisterParty]:
    """The registry as it stands now, by party. Raises TopicMissing, KafkaUnreachable, LinkageError."""
    topic = settings.topics.registry
    await require_topic(settings, topic)
    at = TopicPartition(topic, 0)
    consumer = AIOKafkaConsumer(
        isolation_level="read_committed", auto_offset_reset="none", enable_auto_commit=False, **client_kwargs(settings)
    )
    found: dict[str, RegisterParty] = {}
    async with reaching(settings):
        try:
            await consumer.start()
            begin, end = (await consumer.beginning_offsets([at]))[at], (await consumer.end_offsets([at]))[at]
            consumer.assign([at])
            consumer.seek(at, begin)
            while await consumer.position(at) < end:
                for record in (await consumer.getmany(at, timeout_ms=READ_WAIT_MS)).get(at, []):
                    _keep(found, (record.key or b"").decode(errors="replace"), record.value)
        except KafkaError as error:
            raise failure(error, f"reading topic {topic}", settings.bootstrap_servers) from error
        finally:
            await consumer.stop()
    return found


def _keep(found: dict[str, RegisterParty], party: str, value: bytes | None) -> None:
    if value is None:
        found.pop(party, None)
        return
    try:
        found[party] = REGISTRY.validate_json(value)
    except ValidationError as error:
        raise LinkageError(f"the registry's entry of {party} is none of this version's: {error}") from error


async def _post(outlet: Outlet, topic: str, entry: RegisterParty) -> "asyncio.Future[Any]":
    message_id = identity.message_id("register", entry.county, entry.party.id, entry.version)
    attributes = wire.Attributes(message_id, entry.county, entry.type)
    return await outlet.post(topic, attributes, encoded(entry), key=entry.party.id)
