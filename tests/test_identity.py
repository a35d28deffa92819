"""Ids derive from meaning, and are the uuid5 that anybody else would make of it."""

from uuid import NAMESPACE_URL, uuid5

from hypothesis import given
from hypothesis import strategies as st

from linkage import identity

PARTS = st.lists(st.text() | st.integers(), max_size=5)


@given(PARTS)
def test_derived_ids_are_uuid5(parts: list[object]) -> None:
    """`derive` and `message_id` are RFC 9562's uuid5 of the parts, joined by the unit separator."""
    namespace = uuid5(NAMESPACE_URL, "linkage:incident-linkage-engine")
    assert identity.derive(*parts) == uuid5(namespace, "\x1f".join(str(part) for part in parts))
    assert identity.message_id(*parts) == str(uuid5(namespace, "\x1f".join(str(part) for part in ("message", *parts))))


@given(PARTS, st.integers(0, 20))
def test_ids_of_a_row_are_those_made_one_by_one(parts: list[object], amount: int) -> None:
    assert identity.message_ids(amount, *parts) == [identity.message_id(*parts, number) for number in range(amount)]


def test_ids_stay_what_they_are() -> None:
    """Orders that stand in journals are found again by every later version."""
    incident = identity.incident_id("990909001", "grid", "r-1")
    assert incident == f"I-{identity.derive('I', '990909001', 'grid', 'r-1').hex[:16]}"
    assert (
        identity.order_id(incident, "whistle", 0, 1, "health")
        == f"O-{identity.derive('O', incident, 'whistle', 0, 1, 'health').hex[:16]}"
    )
