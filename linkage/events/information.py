"""Facts of `information` 信息交互: is this report new, or about an incident already open?"""

from typing import Literal

from pydantic import AwareDatetime

from linkage.events.base import Counts, Frozen, HubCode, Identifier, PartyId, Place, Words
from linkage.events.inbound import ReportIncident


class ReportReference(Frozen):
    """Which report: its sender and the id he gave it."""

    sender: PartyId
    message_id: Identifier


class IncidentOpened(Frozen):
    """A report is the first of its incident."""

    type: Literal["linkage.IncidentOpened.v0"] = "linkage.IncidentOpened.v0"
    incident_id: Identifier
    report: ReportReference
    kind: Identifier
    place: Place
    counts: Counts
    summary: Words
    life_at_risk: bool | None
    exercise: bool
    occurred_at: AwareDatetime
    opened_at: AwareDatetime
    follows: Identifier | None = None
    """The closed incident at the same place that this one is linked to."""


class ReportMerged(Frozen):
    """A report is about an incident that is open: same place and kind, within the window."""

    type: Literal["linkage.ReportMerged.v0"] = "linkage.ReportMerged.v0"
    incident_id: Identifier
    report: ReportReference
    counts: Counts
    summary: Words
    occurred_at: AwareDatetime
    merged_at: AwareDatetime
    seconds_apart: int
    window_s: int


class ReportRevised(Frozen):
    """A report replaces an earlier one of the same sender; its numbers stand instead."""

    type: Literal["linkage.ReportRevised.v0"] = "linkage.ReportRevised.v0"
    incident_id: Identifier
    report: ReportReference
    supersedes: Identifier
    revision: int
    counts: Counts
    summary: Words
    occurred_at: AwareDatetime
    revised_at: AwareDatetime


class ReportUnplaced(Frozen):
    """A readable report without a certain township: the county's desk places it, by a deadline."""

    type: Literal["linkage.ReportUnplaced.v0"] = "linkage.ReportUnplaced.v0"
    report: ReportReference
    digest: Identifier
    sent_at: AwareDatetime | None
    content: ReportIncident
    unplaced_at: AwareDatetime


class ReportStillUnplaced(Frozen):
    """The desk has not placed a report in time; `told` is whose turn it is to see to it."""

    type: Literal["linkage.ReportStillUnplaced.v0"] = "linkage.ReportStillUnplaced.v0"
    subject: Identifier
    rung: int
    told: PartyId | None
    limit_s: int


class ReportHandedOver(Frozen):
    """The desk has placed it; the township's hub has it from here on."""

    type: Literal["linkage.ReportHandedOver.v0"] = "linkage.ReportHandedOver.v0"
    report: ReportReference
    digest: Identifier
    sent_at: AwareDatetime | None
    content: ReportIncident
    township: HubCode
    reason: Words


class IncidentClosed(Frozen):
    """The post ended it: deadlines are lifted, whoever is out stands down."""

    type: Literal["linkage.IncidentClosed.v0"] = "linkage.IncidentClosed.v0"
    incident_id: Identifier
    reason: Words
    signed_by: Words
    closed_at: AwareDatetime
    kept_s: int
