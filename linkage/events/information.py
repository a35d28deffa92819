"""Facts of `information` 信息交互: is this report new, or about an incident already open?"""

from typing import Literal

from pydantic import AwareDatetime

from linkage.events.base import Counts, Frozen, HubCode, Identifier, PartyId, Place, Words
from linkage.events.inbound import ReportIncident


class ReportReference(Frozen):
    """Which report: its sender and the id he gave it."""

    sender: PartyId
    message_id: Identifier


Certainty = Literal["sure", "unsure"]


class Comparison(Frozen):
    """Why two reports are one event, or may be: what was compared, and what tipped it."""

    compared_with: ReportReference
    rule: Identifier
    """The policy's pairing, or `same_kind`, `revision`."""
    reasons: tuple[Identifier, ...]
    seconds_apart: int
    """Between the events' own times, never between the times we got them."""
    limit_s: int
    distance_m: int | None = None
    """None: a point is missing, or not to be trusted."""
    limit_m: int | None = None
    roads: tuple[Words, ...] = ()
    """What both name."""
    candidates: int = 0
    """How many open incidents were looked at."""


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
    kind: Identifier | None = None
    place: Place | None = None
    comparison: Comparison | None = None
    """None in journals of rules version 1."""


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
    kind: Identifier | None = None
    place: Place | None = None
    """None in journals of rules version 1."""


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


class LinkedIncident(Frozen):
    """An incident and the hub that owns it."""

    hub: HubCode
    incident_id: Identifier


Relation = Literal["CHILD", "RELATED", "UNLINK"]
"""EIDO's words: both are children of one parent at the county; related, a person decides; they are not."""


class IncidentsLinked(Frozen):
    """Two incidents are one event, or may be and a person is asked; across a border the county's hub records it."""

    type: Literal["linkage.IncidentsLinked.v0"] = "linkage.IncidentsLinked.v0"
    link_id: Identifier
    one: LinkedIncident
    other: LinkedIncident
    relation: Relation
    parent_id: Identifier | None
    certainty: Certainty
    comparison: Comparison
    linked_at: AwareDatetime
    kept_s: int


class LinkProposed(Frozen):
    """A neighbour told of an incident near the border: with one of ours it is one event, or may be."""

    type: Literal["linkage.LinkProposed.v0"] = "linkage.LinkProposed.v0"
    link_id: Identifier
    incident_id: Identifier
    ours: LinkedIncident
    theirs: LinkedIncident
    certainty: Certainty
    comparison: Comparison


class LinkNoted(Frozen):
    """The county has linked an incident of ours, or a person has judged the link: what holds of it now."""

    type: Literal["linkage.LinkNoted.v0"] = "linkage.LinkNoted.v0"
    link_id: Identifier
    incident_id: Identifier
    other: LinkedIncident
    relation: Relation
    parent_id: Identifier | None


class LinkJudged(Frozen):
    """A person has decided whether two incidents are one event."""

    type: Literal["linkage.LinkJudged.v0"] = "linkage.LinkJudged.v0"
    link_id: Identifier
    one: LinkedIncident
    other: LinkedIncident
    relation: Relation
    parent_id: Identifier | None
    reason: Words
    signed_by: Words
    judged_at: AwareDatetime


class IncidentClosed(Frozen):
    """The post ended it: deadlines are lifted, whoever is out stands down."""

    type: Literal["linkage.IncidentClosed.v0"] = "linkage.IncidentClosed.v0"
    incident_id: Identifier
    reason: Words
    signed_by: Words
    closed_at: AwareDatetime
    kept_s: int
