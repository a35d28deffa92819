"""Three real brokers and what befalls them: who leads what, kills, stops, rights, topics, a full disk.

Rights: an authorizer that allows everybody everything until a rule stands on a topic.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from signal import SIGKILL, SIGTERM
from typing import Any

from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from linkage import local_kafka
from linkage.local_kafka.cluster import INTERNAL_PARTITIONS_COUNT

BROKERS_COUNT = 3
HEAP_MIB = 256
PROPERTIES = (
    ("authorizer.class.name", "org.apache.kafka.metadata.authorizer.StandardAuthorizer"),
    ("allow.everyone.if.no.acl.found", "true"),
    # Controllers ask each other before any rule is loaded: they have a name, and may do everything.
    ("super.users", "User:broker"),
    ("listener.security.protocol.map", "PLAINTEXT:PLAINTEXT,CONTROLLER:SASL_PLAINTEXT"),
    ("sasl.mechanism.controller.protocol", "PLAIN"),
    ("listener.name.controller.sasl.enabled.mechanisms", "PLAIN"),
    (
        "listener.name.controller.plain.sasl.jaas.config",
        "org.apache.kafka.common.security.plain.PlainLoginModule required "
        'username="broker" password="broker" user_broker="broker";',
    ),
)
ANYBODY = "User:ANONYMOUS"
TRANSACTIONS, OFFSETS = "__transaction_state", "__consumer_offsets"
ANSWER_LIMIT_S = 10.0
LOOK_LIMIT_S = 3.0
"""A broker that hangs is asked no longer: another is."""
IN_SYNC_LIMIT_S = 60.0
POLL_S = 0.2


class Brokers:
    """A cluster of three, in a folder."""

    def __init__(self, running: local_kafka.RunningKafka) -> None:
        self.running = running
        self.data_dir = running.data_dir
        limits = {"socket.timeout.ms": int(LOOK_LIMIT_S * 1000), "socket.max.fails": 1}
        self._admin = AdminClient({"bootstrap.servers": running.bootstrap_servers, "log_level": 0, **limits})

    @property
    def bootstrap_servers(self) -> str:
        return self.running.bootstrap_servers

    @property
    def ports(self) -> list[int]:
        return [int(server.split(":")[1]) for server in self.bootstrap_servers.split(",")]

    # Who does what

    async def leader_of(self, topic: str, partition: int) -> int:
        """The node that leads it now."""
        return await asyncio.to_thread(self._leader_of, topic, partition)

    def _leader_of(self, topic: str, partition: int) -> int:
        found = self._admin.list_topics(topic, timeout=LOOK_LIMIT_S).topics[topic]
        return int(found.partitions[partition].leader)

    async def transaction_coordinator_of(self, transactional_id: str) -> int:
        return await self.leader_of(TRANSACTIONS, _hashed(transactional_id) % INTERNAL_PARTITIONS_COUNT)

    async def group_coordinator_of(self, group: str) -> int:
        return await self.leader_of(OFFSETS, _hashed(group) % INTERNAL_PARTITIONS_COUNT)

    async def moved_from(self, node_id: int, asked: Callable[[], Awaitable[int]], limit_s: float) -> int:
        """Who does it once that node no longer does."""
        async with asyncio.timeout(limit_s):
            while (now := await self._asked(asked)) in (node_id, -1):  # noqa: ASYNC110  a broker tells nobody
                await asyncio.sleep(POLL_S)
            return now

    async def _asked(self, asked: Callable[[], Awaitable[int]]) -> int:
        try:
            return await asked()
        except Exception:
            return -1

    async def in_sync(self, limit_s: float = IN_SYNC_LIMIT_S) -> None:
        """Every partition has all its copies in sync, so that the next fault finds three whole brokers."""
        late: list[str] = []
        try:
            async with asyncio.timeout(limit_s):
                while late := await asyncio.to_thread(self._not_in_sync):  # noqa: ASYNC110
                    await asyncio.sleep(POLL_S)
        except TimeoutError:
            raise AssertionError(f"not in sync after {limit_s} s: {late[:5]}") from None

    def _not_in_sync(self) -> list[str]:
        try:
            found = self._admin.list_topics(timeout=ANSWER_LIMIT_S)
        except Exception as error:
            return [str(error)]
        if len(found.brokers) < BROKERS_COUNT:
            return [f"{len(found.brokers)} brokers"]
        return [
            f"{name} [{number}]"
            for name, topic in found.topics.items()
            for number, one in topic.partitions.items()
            if len(one.isrs) < len(one.replicas) or one.leader < 0
        ]

    # What befalls them

    async def kill(self, node_id: int) -> int:
        """kill -9. Returns the wall clock's milliseconds; the process is gone then."""
        at_ms = time.time_ns() // 1_000_000
        await asyncio.to_thread(local_kafka.kill_broker, self.data_dir, node_id, SIGKILL)
        assert self.state_of(node_id) == "stopped"
        return at_ms

    async def end(self, node_id: int) -> int:
        """SIGTERM, as an operator does it: it hands its partitions over first."""
        at_ms = time.time_ns() // 1_000_000
        await asyncio.to_thread(local_kafka.kill_broker, self.data_dir, node_id, SIGTERM)
        return at_ms

    async def start(self, *node_ids: int) -> None:
        await asyncio.gather(*(asyncio.to_thread(self._start, node_id) for node_id in node_ids))

    def _start(self, node_id: int) -> None:
        local_kafka.start_broker(self.data_dir, node_id)

    async def start_all(self) -> None:
        """After all of them are gone: one alone could not form a quorum."""
        spec = local_kafka.KafkaSpec(self.data_dir, BROKERS_COUNT, heap_mib=HEAP_MIB, properties=PROPERTIES)
        await asyncio.to_thread(local_kafka.start, spec)

    async def pause(self, node_id: int) -> int:
        at_ms = time.time_ns() // 1_000_000
        await asyncio.to_thread(local_kafka.pause_broker, self.data_dir, node_id)
        return at_ms

    async def resume(self, node_id: int) -> None:
        await asyncio.to_thread(local_kafka.resume_broker, self.data_dir, node_id)

    def state_of(self, node_id: int) -> str:
        found = local_kafka.status(self.data_dir).brokers
        return str(next(one.state for one in found if one.node_id == node_id))

    # Topics and rights

    async def delete(self, topic: str) -> None:
        await asyncio.to_thread(lambda: self._admin.delete_topics([topic])[topic].result(ANSWER_LIMIT_S))

    async def deny(self, topic: str, operation: AclOperation) -> None:
        """That operation on that topic, to everybody; the other operations stay allowed."""
        rules = [
            _rule(topic, AclOperation.ALL, AclPermissionType.ALLOW),
            _rule(topic, operation, AclPermissionType.DENY),
        ]
        await asyncio.to_thread(lambda: _done(self._admin.create_acls(rules)))

    async def allow(self, topic: str) -> None:
        """Takes every rule of the topic away."""
        every = AclBindingFilter(
            ResourceType.TOPIC, topic, ResourcePatternType.LITERAL, None, None, AclOperation.ANY, AclPermissionType.ANY
        )
        await asyncio.to_thread(lambda: _done(self._admin.delete_acls([every])))


def _done(asked: Mapping[Any, Any]) -> None:
    for one in asked.values():
        one.result(ANSWER_LIMIT_S)


def _rule(topic: str, operation: AclOperation, permission: AclPermissionType) -> AclBinding:
    return AclBinding(ResourceType.TOPIC, topic, ResourcePatternType.LITERAL, ANYBODY, "*", operation, permission)


def _hashed(text: str) -> int:
    """Java's String.hashCode, made positive as Kafka does: it places groups and transactional ids."""
    found = 0
    for one in text:
        found = (31 * found + ord(one)) & 0xFFFFFFFF
    return found & 0x7FFFFFFF


@contextmanager
def three_brokers(data_dir: Path, tell: Callable[[str], None] = print) -> Iterator[Brokers]:
    """Up and in sync; stopped at the end, whatever happened."""
    spec = local_kafka.KafkaSpec(data_dir, BROKERS_COUNT, heap_mib=HEAP_MIB, properties=PROPERTIES)
    try:
        yield Brokers(local_kafka.start(spec, tell))
    finally:
        _resume_all(data_dir)
        local_kafka.stop(data_dir, tell)


def _resume_all(data_dir: Path) -> None:
    paused: Iterable[int] = [one.node_id for one in local_kafka.status(data_dir).brokers if one.state == "paused"]
    for node_id in paused:
        local_kafka.resume_broker(data_dir, node_id)
