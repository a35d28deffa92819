"""One short run of the small county on a real Kafka in which as much as possible happens; what it leaves is dumped."""

from collections.abc import Mapping

from confluent_kafka import Producer

from linkage.events.dispatch import CountyTeamPromised, TeamAnswered, TeamOrdered, TeamOverdue, TeamReleased
from linkage.events.inbound import Answer, AnswerOrder, CloseIncident, PlaceReport
from linkage.events.information import IncidentClosed, IncidentOpened, ReportUnplaced
from linkage.events.outbound import DispatchTeam, StandDown, WhistleDepartment
from linkage.events.reception import MessageRecorded, MessageRefused, MessageRepeated
from tests import small_county as c
from tests.kafka_county import KafkaCounty
from tests.kafka_journal import Journal
from tests.role_players import Order, obedient

SCALE = 0.2
"""Two seconds to say that an order was received."""
FACT_LIMIT_S = 30.0
JUST_NORTH_OF_THE_BORDER, JUST_SOUTH_OF_THE_BORDER = (30.101, 110.05), (30.099, 110.05)
"""So near that each township asks the other, finds its own there, and proposes the same link to the county."""
HELD_TEAMS_AT_LEAST = 3


def script(order: Order) -> Mapping[Answer, float]:
    """North's militia declines, health stays silent, everybody else comes and stays until he is called back."""
    match order:
        case StandDown():
            return {Answer.DONE: 0.0}
        case DispatchTeam(team="north-militia"):
            return {Answer.DECLINED: 0.0}
        case DispatchTeam(team="south-militia") | WhistleDepartment(party="health"):
            return {}
        case WhistleDepartment(party="natural-resources"):
            return {Answer.RECEIVED: 0.0, Answer.DECLINED: 0.2}
    return {answer: after_s for answer, after_s in obedient(order).items() if answer is not Answer.DONE}


async def play(county: KafkaCounty) -> None:
    """County help, silence, declines, a redelivery, refusals, a report placed by the desk, closing; until all rests.

    Each of these is waited for: a run in which it did not happen fails.
    """
    county.start_worker("one")
    await county.loaded()
    await county.play(script)
    await _reports(county)
    incidents = await _happened(county)
    await county.command(
        *(
            (fact_hub, CloseIncident(incident_id=incident, reason="held", signed_by="Li"), f"close-{incident}")
            for fact_hub, incident in incidents
        )
    )
    await county.until(lambda journal: len(list(journal.facts(IncidentClosed))) >= len(incidents), FACT_LIMIT_S)
    await county.until(lambda journal: any(True for _ in journal.facts(TeamReleased, c.COUNTY)), FACT_LIMIT_S)
    await county.settled(FACT_LIMIT_S)
    await county.end_workers()


async def _reports(county: KafkaCounty) -> None:
    await county.report(c.NORTH, "r-1")
    await county.report(c.NORTH, "r-1")
    await county.report(c.NORTH, "r-1", people_at_risk=7)
    await _reports_on_the_border(county)
    await county.report(None, "r-4", words="behind the old mill")
    _send_garbage(county)
    await county.reply([("health", AnswerOrder(order_id="O-0", hub=c.NORTH, answer=Answer.DONE), "no-order")])
    await county.until(lambda journal: next(journal.facts(ReportUnplaced), None), FACT_LIMIT_S)
    place = PlaceReport(report_sender="grid", report_id="r-4", township=c.SOUTH, reason="the caller said so")
    await county.command((c.COUNTY, place, "place-1"))


async def _reports_on_the_border(county: KafkaCounty) -> None:
    """South's first, North's beside it, South's again: each asks when the other's incident is open, and proposes it."""
    await county.report(c.SOUTH, "r-3", people_at_risk=120, at=JUST_SOUTH_OF_THE_BORDER)
    await county.until(lambda journal: next(journal.facts(IncidentOpened, c.SOUTH), None), FACT_LIMIT_S)
    await county.report(c.NORTH, "r-2", people_at_risk=700, source="hotline", at=JUST_NORTH_OF_THE_BORDER)
    await county.until(_second_is_recorded, FACT_LIMIT_S)
    await county.report(c.SOUTH, "r-5", people_at_risk=120, at=JUST_SOUTH_OF_THE_BORDER)


def _second_is_recorded(journal: Journal) -> bool:
    return any(one.message_id == "r-2" for one in journal.facts(MessageRecorded))


def _send_garbage(county: KafkaCounty) -> None:
    county.published += 1
    producer = Producer({"bootstrap.servers": county.settings.bootstrap_servers})
    producer.produce(county.topics.report("grid"), b"\xff no event")
    assert producer.flush(FACT_LIMIT_S) == 0


async def _happened(county: KafkaCounty) -> list[tuple[str, str]]:
    """The incidents, with their hubs, once everything that the run is for stands in the journal."""
    for kind in (CountyTeamPromised, TeamOverdue, MessageRepeated, MessageRefused):
        await county.until(lambda journal, kind=kind: next(journal.facts(kind), None), FACT_LIMIT_S)
    for answer in (Answer.DECLINED, Answer.REPORTED_IN):
        await county.until(
            lambda journal, answer=answer: any(one.answer is answer for one in journal.facts(TeamAnswered)),
            FACT_LIMIT_S,
        )
    await county.until(lambda journal: len(list(journal.facts(TeamOrdered))) >= HELD_TEAMS_AT_LEAST, FACT_LIMIT_S)
    await county.until(lambda journal: len(list(journal.facts(IncidentOpened))) >= 3, FACT_LIMIT_S)
    return [(hub, fact.incident_id) for hub in c.HUBS for fact in county.journal.facts(IncidentOpened, hub)]
