"""Clients that go back to their bootstrap servers when no broker that they know answers: KIP-899, for aiokafka 0.14.

aiokafka forgets them after its first answer. A client that asked in the middle of an outage may have been told of one
broker alone; when that one goes while the others come back, it knows nobody, for ever (aiokafka's issue 456).
Java's clients do this since 3.8. Every client of the process shares the class that is changed here. `docs/adr/0011`.
"""

from typing import Any

from aiokafka.client import AIOKafkaClient
from aiokafka.structs import BrokerMetadata

_ask_who_is_known = AIOKafkaClient._metadata_update


async def _ask_anybody(client: Any, cluster_metadata: Any, topics: Any) -> bool:
    """Whether somebody told who is there: of the brokers it knows, else of its bootstrap servers.

    Those are known until the next answer, which replaces all that is known.
    """
    if await _ask_who_is_known(client, cluster_metadata, topics):
        return True
    known = client.cluster._brokers
    addresses = {(broker.host, broker.port) for broker in known.values()}
    added = {
        name: BrokerMetadata(name, host, port, None)
        for name, (host, port, _) in ((f"bootstrap-{number}", one) for number, one in enumerate(client.hosts))
        if (host, port) not in addresses
    }
    if not added:
        return False
    client.cluster._brokers = {**known, **added}
    return bool(await _ask_who_is_known(client, cluster_metadata, topics))


def install() -> None:
    """For every client from now on; a second time changes nothing."""
    AIOKafkaClient._metadata_update = _ask_anybody
