"""Facts of `whistle` 吹哨报到: which departments are whistled for, who has reported in, who is overdue."""

from typing import Literal

from pydantic import AwareDatetime

from linkage.events.base import Attested, Frozen, Identifier, PartyId, Words
from linkage.events.inbound import Answer
from linkage.events.outbound import Briefing
from linkage.events.reference import Relation, RoleInWhistle, WhistleSlot

Because = Literal["first", "declined", "silent"]


class WhistleBlown(Frozen):
    """The township blows the whistle for an incident; each slot is one seat to be filled."""

    type: Literal["linkage.WhistleBlown.v0"] = "linkage.WhistleBlown.v0"
    incident_id: Identifier
    briefing: Briefing
    slots: tuple[WhistleSlot, ...]
    rule: Identifier
    basis: Words
    policy_version: Identifier
    blown_at: AwareDatetime


class WhistleBriefingChanged(Frozen):
    """Who is whistled for from here on is told the newer state of things."""

    type: Literal["linkage.WhistleBriefingChanged.v0"] = "linkage.WhistleBriefingChanged.v0"
    incident_id: Identifier
    briefing: Briefing


class DepartmentWhistled(Frozen):
    """A department is whistled for: an order goes to it."""

    type: Literal["linkage.DepartmentWhistled.v0"] = "linkage.DepartmentWhistled.v0"
    order_id: Identifier
    incident_id: Identifier
    slot: int
    attempt: int
    party: PartyId
    role: RoleInWhistle
    relation: Relation
    because: Because
    replaces: Identifier | None
    considered: tuple[PartyId, ...]
    briefing: Briefing
    ordered_at: AwareDatetime
    receive_by: AwareDatetime
    report_in_by: AwareDatetime


class DepartmentNotified(Frozen):
    """A department is told, and comes only when asked: nothing is ordered, no clock runs."""

    type: Literal["linkage.DepartmentNotified.v0"] = "linkage.DepartmentNotified.v0"
    incident_id: Identifier
    slot: int
    party: PartyId
    briefing: Briefing


class DepartmentAnswered(Frozen):
    """A department said something to its order. `changed` is False when it said nothing new."""

    type: Literal["linkage.DepartmentAnswered.v0"] = "linkage.DepartmentAnswered.v0"
    order_id: Identifier
    incident_id: Identifier
    party: PartyId
    answer: Answer
    reason: Words
    eta_at: AwareDatetime | None
    attested: Attested | None
    answered_at: AwareDatetime
    changed: bool


class DepartmentOverdue(Frozen):
    """A department did not say or do in time what its order asks; somebody was told."""

    type: Literal["linkage.DepartmentOverdue.v0"] = "linkage.DepartmentOverdue.v0"
    order_id: Identifier
    incident_id: Identifier
    party: PartyId
    awaited: Answer
    rung: int
    told: PartyId | None
    limit_s: int


class DepartmentsExhausted(Frozen):
    """Nobody is left to fill a seat; the post and the county are told."""

    type: Literal["linkage.DepartmentsExhausted.v0"] = "linkage.DepartmentsExhausted.v0"
    incident_id: Identifier
    slot: int
    because: Because
    tried: tuple[PartyId, ...]


class DepartmentStoodDown(Frozen):
    """An order to a department is over before it was done."""

    type: Literal["linkage.DepartmentStoodDown.v0"] = "linkage.DepartmentStoodDown.v0"
    order_id: Identifier
    revision: int
    incident_id: Identifier
    party: PartyId
    relation: Relation
    reason: Words
    stood_down_at: AwareDatetime


class WhistleEnded(Frozen):
    """The whistle is over; its orders are remembered until `forget_at`. Those of `forgotten` incidents go now."""

    type: Literal["linkage.WhistleEnded.v0"] = "linkage.WhistleEnded.v0"
    incident_id: Identifier
    forget_at: AwareDatetime
    forgotten: tuple[Identifier, ...]
