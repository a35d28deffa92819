"""Names that derive from meaning, never from positions or chance: the same thing has the same id in every run.

Hub codes have 6 digits (county) or 9 (township), villages 12, groups 14: a parent is a prefix
(GB/T 2260, GB/T 10114; the group digits are our own choice).
"""

from hashlib import blake2b, sha1
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

NAMESPACE = uuid5(NAMESPACE_URL, "linkage:incident-linkage-engine")
_NAMESPACE_BEGUN = sha1(NAMESPACE.bytes, usedforsecurity=False)
_VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}
SHORT_HEX_DIGITS = 16
"""64 bits: with a million ids the chance of any two alike is below 1 in 30 million."""


def derive(*parts: object) -> UUID:
    """The uuid5 of these parts; parts may hold anything but the unit separator."""
    return UUID(_uuid5_hex(parts))


def _uuid5_hex(parts: tuple[object, ...]) -> str:
    """The 32 digits of the uuid5 of these parts (RFC 9562, 5.5): `uuid.uuid5` without its object, five times as fast.

    A step has a dozen of them.
    """
    found = _digest(parts).hexdigest()
    return f"{found[:12]}5{found[13:16]}{_VARIANT[found[16]]}{found[17:32]}"


def _digest(parts: tuple[object, ...]) -> Any:
    digest = _NAMESPACE_BEGUN.copy()
    digest.update("\x1f".join(map(str, parts)).encode())
    return digest


def _dashed(found: str) -> str:
    """The same as text, of the digest's digits."""
    return f"{found[:8]}-{found[8:12]}-5{found[13:16]}-{_VARIANT[found[16]]}{found[17:20]}-{found[20:32]}"


def _short(prefix: str, *parts: object) -> str:
    return f"{prefix}-{_uuid5_hex((prefix, *parts))[:SHORT_HEX_DIGITS]}"


def incident_id(hub: str, sender: str, message_id: str) -> str:
    """The incident that this report opened in this hub."""
    return _short("I", hub, sender, message_id)


def link_id(one: str, other: str) -> str:
    """The link of two incidents, whichever of them is named first."""
    return _short("L", *sorted((one, other)))


def parent_id(link: str) -> str:
    """The county's parent of incidents that are one event, by the first link between any of them."""
    return _short("P", link)


def order_id(incident: str, stage: str, slot: int, attempt: int, receiver: str) -> str:
    """The order of one attempt to fill one seat of an incident."""
    return _short("O", incident, stage, slot, attempt, receiver)


def request_id(incident: str, slot: int, attempt: int) -> str:
    """A township's request to the county for a team."""
    return _short("R", incident, slot, attempt)


def deadline_id(subject: str, name: str, rung: int = 0) -> str:
    """The deadline of that name for an order, a request or a report."""
    return _short("D", subject, name, rung)


def message_id(*parts: object) -> str:
    """The CloudEvents id of a message that the engine sends."""
    return _dashed(_digest(("message", *parts)).hexdigest())


def message_ids(amount: int, *parts: object) -> list[str]:
    """`message_id(*parts, 0)`, `message_id(*parts, 1)` and so on: what they share is digested once."""
    begun, found = _digest(("message", *parts, "")), []
    for number in range(amount):
        digest = begun.copy()
        digest.update(b"%d" % number)
        found.append(_dashed(digest.hexdigest()))
    return found


def digest(key: bytes, clear: bytes) -> str:
    """Keyed digest of a message's clear bytes: tells the same again from other content under the same id."""
    return blake2b(clear, key=key[:64], digest_size=16).hexdigest()


def is_township(code: str) -> bool:
    return len(code) == 9 and code.isdigit()


def county_of(hub: str) -> str:
    """The county's hub of any hub."""
    return hub[:6]


def partition_of(hub: str, partitions: int) -> int:
    """Where a hub lives, in inbox, journal and lease alike. Neighbouring codes spread evenly."""
    return int(hub) % partitions
