"""Facts of `dispatch` 队伍调动: which teams go, who takes over, who stands down; and county teams lent to townships."""

from typing import Literal

from pydantic import AwareDatetime

from linkage.events.base import Attested, Frozen, HubCode, Identifier, PartyId, Words
from linkage.events.between_hubs import LentTeamState
from linkage.events.inbound import Answer
from linkage.events.outbound import Briefing
from linkage.events.reference import Relation
from linkage.events.whistle import Because

Verdict = Literal["chosen", "free", "held", "unreachable", "excluded"]


class Candidate(Frozen):
    """A team that was looked at: travel minutes, whether it has the skill, and why it was or was not taken."""

    team: Identifier
    minutes: int
    has_skill: bool
    verdict: Verdict


class Lent(Frozen):
    """The order serves a township's request to the county, not an incident of this hub."""

    request_id: Identifier
    township: HubCode


class TeamsRequired(Frozen):
    """An incident needs so many teams at its level; written again when that changes."""

    type: Literal["linkage.TeamsRequired.v0"] = "linkage.TeamsRequired.v0"
    incident_id: Identifier
    briefing: Briefing
    needed: int
    skill: Identifier
    rule: Identifier
    basis: Words
    policy_version: Identifier


class TeamOrdered(Frozen):
    """A team of this hub goes: to an incident of this hub, or, when `lent`, to a township that asked."""

    type: Literal["linkage.TeamOrdered.v0"] = "linkage.TeamOrdered.v0"
    order_id: Identifier
    incident_id: Identifier
    slot: int
    attempt: int
    team: Identifier
    team_zh: Words
    party: PartyId
    relation: Relation
    lent: Lent | None
    because: Because
    replaces: Identifier | None
    considered: tuple[Candidate, ...]
    briefing: Briefing
    ordered_at: AwareDatetime
    receive_by: AwareDatetime
    report_in_by: AwareDatetime


class TeamAnswered(Frozen):
    """A team said something to its order. `changed` is False when it said nothing new."""

    type: Literal["linkage.TeamAnswered.v0"] = "linkage.TeamAnswered.v0"
    order_id: Identifier
    incident_id: Identifier
    team: Identifier
    party: PartyId
    answer: Answer
    reason: Words
    eta_at: AwareDatetime | None
    attested: Attested | None
    answered_at: AwareDatetime
    changed: bool
    lent: Lent | None


class TeamOverdue(Frozen):
    """A team did not say or do in time what its order asks. A silent one stays held, as unreachable."""

    type: Literal["linkage.TeamOverdue.v0"] = "linkage.TeamOverdue.v0"
    order_id: Identifier
    incident_id: Identifier
    team: Identifier
    awaited: Answer
    rung: int
    told: PartyId | None
    limit_s: int
    is_unreachable: bool
    lent: Lent | None


class TeamStoodDown(Frozen):
    """A team is called back. It is held until it says that it is done."""

    type: Literal["linkage.TeamStoodDown.v0"] = "linkage.TeamStoodDown.v0"
    order_id: Identifier
    revision: int
    incident_id: Identifier
    team: Identifier
    party: PartyId
    relation: Relation
    reason: Words
    is_replaced: bool
    """True when another team takes its place."""
    stood_down_at: AwareDatetime
    lent: Lent | None


class TeamReleased(Frozen):
    """The team has no holder any more."""

    type: Literal["linkage.TeamReleased.v0"] = "linkage.TeamReleased.v0"
    order_id: Identifier
    incident_id: Identifier
    team: Identifier
    reason: Words
    released_at: AwareDatetime
    lent: Lent | None


class TeamsExhausted(Frozen):
    """No team is left to ask; post and county are told, and a person must find one."""

    type: Literal["linkage.TeamsExhausted.v0"] = "linkage.TeamsExhausted.v0"
    incident_id: Identifier
    slot: int
    asked: int
    reason: Words


class CountyTeamRequested(Frozen):
    """This township's own teams are used up: the county's hub is asked for one of its own."""

    type: Literal["linkage.CountyTeamRequested.v0"] = "linkage.CountyTeamRequested.v0"
    request_id: Identifier
    incident_id: Identifier
    slot: int
    attempt: int
    refusals: int
    """How often the county had none free in this seat before."""
    because: Because
    replaces: Identifier | None
    considered: tuple[Candidate, ...]
    skill: Identifier
    excluded: tuple[Identifier, ...]
    briefing: Briefing
    requested_at: AwareDatetime


class CountyTeamPromised(Frozen):
    """The county has ordered one of its teams to this incident."""

    type: Literal["linkage.CountyTeamPromised.v0"] = "linkage.CountyTeamPromised.v0"
    request_id: Identifier
    incident_id: Identifier
    order_id: Identifier
    team: Identifier
    team_zh: Words


class CountyTeamRefused(Frozen):
    """The county has none free now; it is asked again after `retry_s`, or nobody is left (None)."""

    type: Literal["linkage.CountyTeamRefused.v0"] = "linkage.CountyTeamRefused.v0"
    request_id: Identifier
    incident_id: Identifier
    reason: Words
    retry_s: int | None


class CountyUnanswered(Frozen):
    """The county's hub has not answered a request in time; post and county desk are told."""

    type: Literal["linkage.CountyUnanswered.v0"] = "linkage.CountyUnanswered.v0"
    request_id: Identifier
    incident_id: Identifier
    rung: int
    limit_s: int


class LentTeamChanged(Frozen):
    """What the county's hub told about the team it sent here."""

    type: Literal["linkage.LentTeamChanged.v0"] = "linkage.LentTeamChanged.v0"
    request_id: Identifier
    incident_id: Identifier
    order_id: Identifier
    team: Identifier
    state: LentTeamState
    reason: Words


class LentTeamGivenBack(Frozen):
    """This township needs the county's team no longer: the county is told, and stands it down."""

    type: Literal["linkage.LentTeamGivenBack.v0"] = "linkage.LentTeamGivenBack.v0"
    request_id: Identifier
    incident_id: Identifier
    order_id: Identifier | None
    reason: Words


class TeamRequestTaken(Frozen):
    """County: a township asks for a team; who asked, for what."""

    type: Literal["linkage.TeamRequestTaken.v0"] = "linkage.TeamRequestTaken.v0"
    request_id: Identifier
    township: HubCode
    incident_id: Identifier
    briefing: Briefing
    skill: Identifier
    excluded: tuple[Identifier, ...]


class TeamRequestUnmet(Frozen):
    """County: no team is free for the township that asked."""

    type: Literal["linkage.TeamRequestUnmet.v0"] = "linkage.TeamRequestUnmet.v0"
    request_id: Identifier
    township: HubCode
    incident_id: Identifier
    replaces: Identifier | None
    """The order whose team will not come; None when none was free at once."""
    considered: tuple[Candidate, ...]
    reason: Words


class TeamRequestWithdrawn(Frozen):
    """County: the township needs it no longer."""

    type: Literal["linkage.TeamRequestWithdrawn.v0"] = "linkage.TeamRequestWithdrawn.v0"
    request_id: Identifier
    incident_id: Identifier
    reason: Words


class DispatchEnded(Frozen):
    """An incident or a request is over; its orders are remembered until `forget_at`. Those of `forgotten` go now."""

    type: Literal["linkage.DispatchEnded.v0"] = "linkage.DispatchEnded.v0"
    subject: Identifier
    forget_at: AwareDatetime
    forgotten: tuple[Identifier, ...]
