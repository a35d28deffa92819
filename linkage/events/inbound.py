"""What parties say: reports of upstream systems, answers of departments and teams, commands of a post."""

from enum import StrEnum
from typing import Literal

from pydantic import AwareDatetime

from linkage.events.base import Attested, Counts, HubCode, Identifier, Inbound, PartyId, Place, Words
from linkage.events.reference import HubReference


class Answer(StrEnum):
    """What a department or a team can say to an order, in the order in which things go."""

    RECEIVED = "received"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    EN_ROUTE = "en_route"
    REPORTED_IN = "reported_in"
    DONE = "done"


class ReportIncident(Inbound):
    """Something happened. Never refused for being incomplete: what is unknown stays None."""

    type: Literal["linkage.ReportIncident.v0"] = "linkage.ReportIncident.v0"
    kind: Identifier
    place: Place = Place()
    counts: Counts = Counts()
    life_at_risk: bool | None = None
    summary: Words = ""
    hub: HubCode | None = None


class AnswerOrder(Inbound):
    """A department or team answers an order that its dispatch topic brought; `hub` as the order named it."""

    type: Literal["linkage.AnswerOrder.v0"] = "linkage.AnswerOrder.v0"
    order_id: Identifier
    hub: HubCode
    answer: Answer
    reason: Words = ""
    eta_at: AwareDatetime | None = None


class RecordAnswer(Inbound):
    """A post writes down what a party said by telephone, radio or paper. It counts, marked attested."""

    type: Literal["linkage.RecordAnswer.v0"] = "linkage.RecordAnswer.v0"
    order_id: Identifier
    answer: Answer
    reason: Words = ""
    eta_at: AwareDatetime | None = None
    attested: Attested


class WithdrawTeam(Inbound):
    """A post takes a team back: the order stands down, the team is free once it says so."""

    type: Literal["linkage.WithdrawTeam.v0"] = "linkage.WithdrawTeam.v0"
    order_id: Identifier
    reason: Words
    replace: bool = False
    """True: the next candidate goes in its place."""


class CloseIncident(Inbound):
    """A post ends an incident; what is still open is lifted, who is still out stands down."""

    type: Literal["linkage.CloseIncident.v0"] = "linkage.CloseIncident.v0"
    incident_id: Identifier
    reason: Words
    signed_by: Words


class PlaceReport(Inbound):
    """The county's desk says where an unplaced report belongs."""

    type: Literal["linkage.PlaceReport.v0"] = "linkage.PlaceReport.v0"
    report_sender: PartyId
    report_id: Identifier
    township: HubCode
    reason: Words = ""


class JudgeLink(Inbound):
    """A person says whether two linked incidents are one event; across a border the county's post does."""

    type: Literal["linkage.JudgeLink.v0"] = "linkage.JudgeLink.v0"
    link_id: Identifier
    is_one_event: bool
    reason: Words
    signed_by: Words


class LoadReference(Inbound):
    """One version of the reference data of one hub, written by `linkage county load`."""

    type: Literal["linkage.LoadReference.v0"] = "linkage.LoadReference.v0"
    hub: HubCode
    reference: HubReference
