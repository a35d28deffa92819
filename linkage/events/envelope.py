"""The records themselves: what stands in an inbox, what stands in a journal, and the unions that hold every message.

On the wire a record is a CloudEvents 1.0 event in the Kafka protocol binding's binary mode: the value is the data, the
attributes are `ce_*` headers. Ingress reads the structured mode, too.
"""

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, TypeAdapter

from linkage.events import (
    assessment,
    between_hubs,
    deadlines,
    dispatch,
    inbound,
    information,
    outbound,
    reception,
    whistle,
)
from linkage.events.base import Frozen, HubCode, Identifier, Words
from linkage.events.reference import RegisterParty

StageName = Literal["reception", "information", "assessment", "whistle", "dispatch"]
"""Whose fact it is: the hub's front desk, then the stages in order of evaluation."""

InboxKind = Literal["report", "reply", "command", "hub", "clock", "ingress"]

_OfParties = (
    inbound.ReportIncident
    | inbound.AnswerOrder
    | inbound.RecordAnswer
    | inbound.WithdrawTeam
    | inbound.CloseIncident
    | inbound.PlaceReport
    | inbound.JudgeLink
    | inbound.LoadReference
)
_OfHubs = (
    between_hubs.RequestCountyTeam
    | between_hubs.AnswerTeamRequest
    | between_hubs.ReportLentTeam
    | between_hubs.ReleaseLentTeam
    | between_hubs.HandOverReport
    | between_hubs.CompareIncident
    | between_hubs.ProposeLink
    | between_hubs.NoteLink
)
_OfOurOwn = deadlines.DeadlineDue | deadlines.AnswerUnknown | reception.UnreadableRecord | reception.SourceGap

PartyMessage = Annotated[_OfParties, Field(discriminator="type")]
"""What a party may send, each on its own topic."""

HubMessage = Annotated[_OfHubs, Field(discriminator="type")]
"""What hubs send each other."""

InboxData = Annotated[_OfParties | _OfHubs | _OfOurOwn, Field(discriminator="type")]
"""Everything that can stand in an inbox: the clock and ingress write, too."""

PartyBound = Annotated[
    outbound.WhistleDepartment
    | outbound.DispatchTeam
    | outbound.StandDown
    | outbound.GiveNotice
    | outbound.IssueReceipt
    | outbound.IssueRefusal,
    Field(discriminator="type"),
]
"""Everything that can stand in a dispatch topic."""

Fact = Annotated[
    reception.MessageRecorded
    | reception.MessageRepeated
    | reception.MessageRefused
    | reception.ReferenceAdopted
    | reception.SourceGapRecorded
    | deadlines.DeadlineSet
    | deadlines.DeadlineEnded
    | deadlines.AnswerAwaited
    | information.IncidentOpened
    | information.ReportMerged
    | information.ReportRevised
    | information.ReportUnplaced
    | information.ReportStillUnplaced
    | information.ReportHandedOver
    | information.IncidentsLinked
    | information.LinkProposed
    | information.LinkNoted
    | information.LinkJudged
    | information.IncidentClosed
    | assessment.IncidentAssessed
    | assessment.AssessmentEnded
    | whistle.WhistleBlown
    | whistle.WhistleBriefingChanged
    | whistle.DepartmentWhistled
    | whistle.DepartmentNotified
    | whistle.DepartmentAnswered
    | whistle.DepartmentOverdue
    | whistle.DepartmentsExhausted
    | whistle.DepartmentStoodDown
    | whistle.WhistleEnded
    | dispatch.TeamsRequired
    | dispatch.TeamOrdered
    | dispatch.TeamAnswered
    | dispatch.TeamOverdue
    | dispatch.TeamStoodDown
    | dispatch.TeamReleased
    | dispatch.TeamsExhausted
    | dispatch.CountyTeamRequested
    | dispatch.CountyTeamPromised
    | dispatch.CountyTeamRefused
    | dispatch.CountyUnanswered
    | dispatch.LentTeamChanged
    | dispatch.LentTeamGivenBack
    | dispatch.TeamRequestTaken
    | dispatch.TeamRequestUnmet
    | dispatch.TeamRequestWithdrawn
    | dispatch.DispatchEnded,
    Field(discriminator="type"),
]
"""Everything a journal can say."""


class Origin(Frozen):
    """Where ingress read it. None for what hubs and the clock write."""

    topic: Identifier
    partition: int
    offset: int
    appended_at: AwareDatetime


class InboxRecord(Frozen):
    """One record of `hub.inbox`: for one hub, from one sender, with the identity of the log it belongs to."""

    type: Literal["linkage.InboxRecord.v0"] = "linkage.InboxRecord.v0"
    log_id: Identifier
    hub: HubCode
    kind: InboxKind
    sender: Words
    """The party whose topic brought it (never what a payload claims), the hub, or `clock`, `ingress`."""
    message_id: Identifier
    digest: Identifier
    sent_at: AwareDatetime | None = None
    origin: Origin | None = None
    data: InboxData


class StagedFact(Frozen):
    """A fact and the stage that decided it."""

    stage: StageName
    fact: Fact


class Sent(Frozen):
    """A message that left in the same transaction: where to, which."""

    topic: Identifier
    message_id: Identifier
    type: Identifier
    diverted_because: Words | None = None
    """Why it went to the rejected topic instead: its destination is missing or denied."""


class JournalRecord(Frozen):
    """One record of `hub.journal`: the step that one inbox record led to."""

    type: Literal["linkage.JournalRecord.v0"] = "linkage.JournalRecord.v0"
    position: int
    """The inbox record's offset."""
    hub: HubCode
    now: AwareDatetime
    rules: int
    inbox: InboxRecord
    facts: tuple[StagedFact, ...]
    sent: tuple[Sent, ...]


class PublishedFact(Frozen):
    """A fact on its stage's topic: where it stands in the journal, so that it can be told from any other."""

    type: Literal["linkage.PublishedFact.v0"] = "linkage.PublishedFact.v0"
    hub: HubCode
    position: int
    index: int
    stage: StageName
    now: AwareDatetime
    fact: Fact


class LogIdentity(Frozen):
    """The first record of each journal partition, written when topics are applied."""

    type: Literal["linkage.LogIdentity.v0"] = "linkage.LogIdentity.v0"
    log_id: Identifier


PARTY_MESSAGE: TypeAdapter[PartyMessage] = TypeAdapter(PartyMessage)
PARTY_BOUND: TypeAdapter[PartyBound] = TypeAdapter(PartyBound)
JOURNAL: TypeAdapter[JournalRecord | LogIdentity] = TypeAdapter(
    Annotated[JournalRecord | LogIdentity, Field(discriminator="type")]
)
REGISTRY: TypeAdapter[RegisterParty] = TypeAdapter(RegisterParty)
