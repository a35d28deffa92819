"""What the engine tells parties on their dispatch topics: orders, notices, receipts, refusals. Each names its hub."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from linkage.events.base import Frozen, HubCode, Identifier, Level, PartyId, Place, Words
from linkage.events.reference import Relation, RoleInWhistle

Fault = Literal["sender", "engine"]
ReceiptOutcome = Literal["opened", "merged", "revised", "unplaced", "recorded"]


class Briefing(Frozen):
    """What whoever is sent must know of the incident."""

    incident_id: Identifier
    kind: Identifier
    kind_zh: Words
    level: Level
    level_is_provisional: bool
    place: Place
    summary: Words
    exercise: bool = False


class OrderBase(Frozen):
    """What every order says: the same (order_id, revision) is the same order, for ever."""

    order_id: Identifier
    revision: Annotated[int, Field(ge=1)] = 1
    hub: HubCode
    relation: Relation
    ordered_at: AwareDatetime
    text_en: Words
    text_zh: Words


class WhistleDepartment(OrderBase):
    """The township blows the whistle: this department reports in (乡镇吹哨、部门报到)."""

    type: Literal["linkage.WhistleDepartment.v0"] = "linkage.WhistleDepartment.v0"
    party: PartyId
    role: RoleInWhistle
    briefing: Briefing
    receive_by: AwareDatetime
    report_in_by: AwareDatetime


class DispatchTeam(OrderBase):
    """A team goes. `team` is one of the addressed owner's."""

    type: Literal["linkage.DispatchTeam.v0"] = "linkage.DispatchTeam.v0"
    party: PartyId
    team: Identifier
    team_zh: Words
    briefing: Briefing
    receive_by: AwareDatetime
    report_in_by: AwareDatetime


class StandDown(OrderBase):
    """An earlier order of the same id is over: stop, come back, and say so with the answer `done`."""

    type: Literal["linkage.StandDown.v0"] = "linkage.StandDown.v0"
    party: PartyId
    team: Identifier | None = None
    incident_id: Identifier
    reason: Words


class GiveNotice(Frozen):
    """Something a party must know. Nothing is ordered by it."""

    type: Literal["linkage.GiveNotice.v0"] = "linkage.GiveNotice.v0"
    code: Identifier
    hub: HubCode
    party: PartyId
    subject: Identifier
    text_en: Words
    text_zh: Words


class IssueReceipt(Frozen):
    """The engine has it, for good. A redelivery gets the same receipt again."""

    type: Literal["linkage.IssueReceipt.v0"] = "linkage.IssueReceipt.v0"
    hub: HubCode
    party: PartyId
    message_id: Identifier
    outcome: ReceiptOutcome
    incident_id: Identifier | None = None
    text_en: Words
    text_zh: Words


class IssueRefusal(Frozen):
    """The engine did not act on it, and says why, whose fault it is and what to do next."""

    type: Literal["linkage.IssueRefusal.v0"] = "linkage.IssueRefusal.v0"
    hub: HubCode
    party: PartyId
    message_id: Identifier
    code: Identifier
    fault: Fault
    may_be_sent_again: bool
    text_en: Words
    text_zh: Words


class RejectRecord(Frozen):
    """For operators: bytes nobody could read or deliver, and why."""

    type: Literal["linkage.RejectRecord.v0"] = "linkage.RejectRecord.v0"
    hub: HubCode
    party: Words
    code: Identifier
    reason: Words
    message_id: Identifier
    bytes_base64: str
