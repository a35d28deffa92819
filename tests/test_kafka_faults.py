"""What aiokafka raises where nobody expects it ends nothing of ours."""

from linkage.worker.kafka_faults import close_within


async def test_what_a_client_raises_while_it_closes_is_told_to_nobody() -> None:
    """Seen with all brokers away: a KeyError of aiokafka's sender came out of `stop`, and the worker ended."""
    disconnected = []

    async def stop() -> None:
        raise KeyError("a batch that was given up")

    async def disconnect() -> None:
        disconnected.append(True)

    await close_within(stop, disconnect)
    assert disconnected == [True]
