"""One incident, from whistle to report, and the list of all: pure functions of the journal."""

from collections import Counter
from collections.abc import Sequence

from linkage.events.assessment import IncidentAssessed
from linkage.events.deadlines import DeadlineEnded, DeadlineSet
from linkage.events.dispatch import CountyUnanswered, TeamOverdue, TeamsExhausted
from linkage.events.envelope import JournalRecord
from linkage.events.information import (
    IncidentClosed,
    IncidentOpened,
    ReportHandedOver,
    ReportMerged,
    ReportRevised,
    ReportStillUnplaced,
)
from linkage.events.reception import MessageRefused, MessageRepeated
from linkage.events.whistle import DepartmentOverdue, DepartmentsExhausted, WhistleBlown
from linkage.replay.chronicle import Chronicle, NoSuchIncident, Noted, of_type
from linkage.replay.departments import department_lines
from linkage.replay.journal import JournalSource, Progress, decoded, silent
from linkage.replay.labels import Labels
from linkage.replay.report import (
    Closing,
    DeadlineLine,
    Deadlines,
    IncidentReport,
    LevelLine,
    Moment,
    Overdue,
    RefusalLine,
    ReportLine,
    Shortage,
)
from linkage.replay.teams import county_requests, team_lines
from linkage.replay.words import STAGE_ZH, in_words

COUNTY_DIGITS = 6


def incident_report(source: JournalSource, incident_id: str, progress: Progress = silent) -> IncidentReport:
    """What the journal says of one incident, by its id or the beginning of it. Raises NoSuchIncident."""
    chronicle = Chronicle(incident_id)
    for entry in decoded(source, progress):
        if isinstance(entry.record, JournalRecord):
            chronicle.take(entry, entry.record)
    found, noted = chronicle.settled()
    return reported(found, noted, chronicle.labels)


def reported(incident_id: str, noted: Sequence[Noted], labels: Labels) -> IncidentReport:
    """The report of an incident from its facts in order."""
    first = next(of_type(noted, IncidentOpened), None)
    if first is None:
        raise NoSuchIncident(f"the journal does not say when {incident_id} was opened")
    opened: IncidentOpened = first.fact
    for one in noted:
        labels.note(one.fact)
    blown = next((one.fact for one in of_type(noted, WhistleBlown)), None)
    return IncidentReport(
        incident_id=incident_id,
        hub=labels.hub(first.hub),
        time_zone=labels.time_zone,
        kind=labels.kind(opened.kind),
        place=labels.place(opened.place),
        summary=opened.summary,
        exercise=opened.exercise,
        follows=opened.follows,
        opened_at=opened.opened_at,
        closing=_closing(noted, labels),
        reports=_reports(noted, labels),
        blown_at=blown.blown_at if blown else None,
        whistle_rule=blown.rule if blown else "",
        whistle_basis=blown.basis if blown else "",
        departments=department_lines(noted, blown.blown_at if blown else None, labels),
        teams=team_lines(noted, labels),
        county_requests=county_requests(noted, labels),
        overdue=tuple(_overdue(one, labels) for one in _overdue_facts(noted)),
        shortages=tuple(_shortage(one) for one in of_type(noted, DepartmentsExhausted, TeamsExhausted)),
        deadlines=_deadlines(noted),
        levels=tuple(_level(one) for one in of_type(noted, IncidentAssessed)),
        refusals=tuple(_refusal(one, labels) for one in of_type(noted, MessageRefused)),
        timeline=tuple(_moment(one, labels) for one in noted),
    )


def _closing(noted: Sequence[Noted], labels: Labels) -> Closing | None:
    for one in of_type(noted, IncidentClosed):
        fact: IncidentClosed = one.fact
        return Closing(fact.closed_at, fact.signed_by, fact.reason, labels.party(one.inbox.sender))
    return None


def _reports(noted: Sequence[Noted], labels: Labels) -> tuple[ReportLine, ...]:
    again = Counter(
        (one.fact.sender, one.fact.message_id) for one in of_type(noted, MessageRepeated) if one.fact.kind == "report"
    )
    placed = {(one.fact.report.sender, one.fact.report.message_id): one.at for one in of_type(noted, ReportHandedOver)}
    how: dict[type, str] = {IncidentOpened: "opened", ReportMerged: "merged", ReportRevised: "revised"}
    return tuple(
        ReportLine(
            sender=labels.party(one.fact.report.sender),
            message_id=one.fact.report.message_id,
            at=one.at,
            occurred_at=one.fact.occurred_at,
            how=how[type(one.fact)],
            seconds_apart=getattr(one.fact, "seconds_apart", None),
            placed_at=placed.get((one.fact.report.sender, one.fact.report.message_id)),
            sent_again=again[one.fact.report.sender, one.fact.report.message_id],
        )
        for one in of_type(noted, *how)
    )


def _overdue_facts(noted: Sequence[Noted]) -> list[Noted]:
    return list(of_type(noted, DepartmentOverdue, TeamOverdue, CountyUnanswered, ReportStillUnplaced))


def _overdue(noted: Noted, labels: Labels) -> Overdue:
    fact = noted.fact
    told, awaited, subject = getattr(fact, "told", None), "placed", getattr(fact, "order_id", "")
    match fact:
        case DepartmentOverdue():
            who, awaited = labels.party(fact.party), fact.awaited.value
        case TeamOverdue():
            who, awaited = labels.team(fact.team), fact.awaited.value
        case CountyUnanswered():
            who, awaited, subject = labels.hub(noted.hub[:COUNTY_DIGITS]), "county_answer", fact.request_id
            told = labels.escalation[fact.rung - 1] if fact.rung <= len(labels.escalation) else None
        case _:
            who, subject = labels.hub(noted.hub), fact.subject
    return Overdue(
        noted.at, who, subject, awaited, fact.limit_s, fact.rung, labels.party(told) if told is not None else None
    )


def _shortage(noted: Noted) -> Shortage:
    fact = noted.fact
    if isinstance(fact, DepartmentsExhausted):
        return Shortage(noted.at, "department", fact.slot, f"{', '.join(fact.tried)}: {fact.because}")
    return Shortage(noted.at, "team", fact.slot, f"{fact.reason}, asked {fact.asked} times")


def _deadlines(noted: Sequence[Noted]) -> Deadlines:
    open_ones = {(one.hub, one.fact.deadline_id): one for one in of_type(noted, DeadlineSet)}
    ended: Counter[str] = Counter()
    lifted: dict[str, None] = {}
    for one in of_type(noted, DeadlineEnded):
        open_ones.pop((one.hub, one.fact.deadline_id), None)
        ended[one.fact.outcome] += 1
        if one.fact.outcome == "lifted":
            lifted[one.fact.reason] = None
    return Deadlines(
        met=ended["met"],
        overdue=ended["overdue"],
        lifted=ended["lifted"],
        lifted_because=tuple(lifted),
        open=tuple(
            DeadlineLine(one.fact.deadline_id, one.fact.name, one.fact.subject, one.hub, one.fact.due_at)
            for one in open_ones.values()
        ),
    )


def _level(noted: Noted) -> LevelLine:
    fact: IncidentAssessed = noted.fact
    deciding = tuple(f"{one.count} {one.value:g} ({one.basis})" for one in fact.considered if one.level == fact.level)
    return LevelLine(noted.at, fact.level.value, fact.previous, fact.is_provisional, fact.unknown, deciding)


def _refusal(noted: Noted, labels: Labels) -> RefusalLine:
    fact: MessageRefused = noted.fact
    return RefusalLine(
        at=noted.at,
        hub=noted.hub,
        sender=labels.party(fact.sender),
        type=noted.inbox.data.type,
        message_id=fact.message_id,
        code=fact.code,
        reason=fact.reason,
        fault=fact.fault,
    )


def _moment(noted: Noted, labels: Labels) -> Moment:
    return Moment(
        at=noted.at,
        partition=noted.partition,
        offset=noted.offset,
        index=noted.index,
        hub=labels.hub(noted.hub),
        stage=noted.stage,
        stage_zh=STAGE_ZH[noted.stage],
        type=noted.fact.type,
        words=in_words(noted.fact, labels),
    )
