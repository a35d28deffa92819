"""What one hub tells another. Nobody reads another hub's state: who needs something asks for it."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from linkage.events.base import Frozen, HubCode, Identifier, PartyId, Place, Words
from linkage.events.inbound import ReportIncident
from linkage.events.information import Certainty, Comparison, LinkedIncident, Relation, ReportReference
from linkage.events.outbound import Briefing

LentTeamState = Literal[
    "ordered", "received", "accepted", "en_route", "reported_in", "unreachable", "standing_down", "released"
]


class RequestCountyTeam(Frozen):
    """A township whose own teams are used up asks the county's hub for one. The same id again changes nothing."""

    type: Literal["linkage.RequestCountyTeam.v0"] = "linkage.RequestCountyTeam.v0"
    request_id: Identifier
    township: HubCode
    briefing: Briefing
    skill: Identifier
    attempt: Annotated[int, Field(ge=1)]
    excluded: tuple[Identifier, ...] = ()


class AnswerTeamRequest(Frozen):
    """The county's answer: a team is ordered (with its order), or none is free."""

    type: Literal["linkage.AnswerTeamRequest.v0"] = "linkage.AnswerTeamRequest.v0"
    request_id: Identifier
    incident_id: Identifier
    granted: bool
    order_id: Identifier | None = None
    team: Identifier | None = None
    team_zh: Words = ""
    reason: Words = ""


class ReportLentTeam(Frozen):
    """How the county's team is doing, told to the township it goes to."""

    type: Literal["linkage.ReportLentTeam.v0"] = "linkage.ReportLentTeam.v0"
    request_id: Identifier
    incident_id: Identifier
    order_id: Identifier
    team: Identifier
    state: LentTeamState
    reason: Words = ""


class ReleaseLentTeam(Frozen):
    """The township needs the county's team no longer (or asks to take it back): the county stands it down."""

    type: Literal["linkage.ReleaseLentTeam.v0"] = "linkage.ReleaseLentTeam.v0"
    request_id: Identifier
    order_id: Identifier | None
    incident_id: Identifier
    reason: Words


class HandOverReport(Frozen):
    """A report moves to the township it belongs to, with the memory of it: a redelivery finds it there."""

    type: Literal["linkage.HandOverReport.v0"] = "linkage.HandOverReport.v0"
    sender: PartyId
    message_id: Identifier
    digest: Identifier
    sent_at: AwareDatetime | None
    report: ReportIncident
    reason: Words


class CompareIncident(Frozen):
    """A hub asks its neighbour about an incident near the border. When that has no such event, nothing is journaled."""

    type: Literal["linkage.CompareIncident.v0"] = "linkage.CompareIncident.v0"
    theirs: LinkedIncident
    report: ReportReference
    kind: Identifier
    place: Place
    occurred_at: AwareDatetime
    supersedes: Identifier | None = None
    """The sender's earlier report, which that hub does not know: it may have been placed with the neighbour."""


class ProposeLink(Frozen):
    """A township tells the county that two incidents are one event, or may be. Said by both, it is journaled once."""

    type: Literal["linkage.ProposeLink.v0"] = "linkage.ProposeLink.v0"
    link_id: Identifier
    one: LinkedIncident
    other: LinkedIncident
    certainty: Certainty
    comparison: Comparison


class NoteLink(Frozen):
    """The county tells a township what holds of a link with one of its incidents."""

    type: Literal["linkage.NoteLink.v0"] = "linkage.NoteLink.v0"
    link_id: Identifier
    ours: LinkedIncident
    other: LinkedIncident
    relation: Relation
    parent_id: Identifier | None
