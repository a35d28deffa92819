"""Writes one list and dies by SIGKILL at a named point: `python dying_writer.py SERVERS NAMESPACE TOPIC POINT`."""

import asyncio
import os
import signal
import sys

from linkage.runtime.ports import Outgoing
from linkage.settings import KafkaSettings
from linkage.worker.kafka_log import KafkaLog


async def main(servers: str, namespace: str, topic: str, point: str) -> None:
    def die(at: str) -> None:
        if at == point:
            os.kill(os.getpid(), signal.SIGKILL)

    log = KafkaLog(KafkaSettings(bootstrap_servers=servers, namespace=namespace), at_point=die)
    writer = await log.initialise(f"{namespace}.id")
    await writer.transact([Outgoing(topic, partition, None, b"x" * 600) for partition in (0, 1) for _ in range(1_500)])


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
