"""Every flow on the memory log and virtual time."""

import pytest

from tests.behaviour import simulated
from tests.behaviour.flows import FLOWS


@pytest.mark.parametrize("name", FLOWS)
def test_flow(name: str) -> None:
    """The flow holds on the memory log."""
    simulated.play(FLOWS[name])
