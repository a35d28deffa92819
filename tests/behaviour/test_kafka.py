"""Every flow on Apache Kafka, under the same test ids as on the memory log."""

import asyncio
import secrets

import pytest

from linkage.local_kafka import RunningKafka
from tests.behaviour import on_kafka
from tests.behaviour.flows import FLOWS

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def played(kafka: RunningKafka, request: pytest.FixtureRequest) -> dict[str, BaseException | None]:
    """What each selected flow ended with; they are played side by side when the first is asked for."""
    names = [item.callspec.params["name"] for item in request.session.items if item.module is request.module]
    return asyncio.run(on_kafka.play_all(names, kafka.bootstrap_servers, f"b{secrets.token_hex(3)}"))


@pytest.mark.parametrize("name", FLOWS)
def test_flow(name: str, played: dict[str, BaseException | None]) -> None:
    """The flow holds on Apache Kafka."""
    ended_with = played[name]
    if ended_with is not None:
        raise ended_with
