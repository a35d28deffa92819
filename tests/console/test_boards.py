"""What a post sees while flows run: the real loops on the memory log, the board of a real follower."""

import os
import subprocess
import sys
from datetime import timedelta

from linkage import identity
from linkage.console.board import Board
from linkage.console.gauges import TAIL_LIMIT_RECORDS
from linkage.console.rows import OverdueRow, TeamCount, Wait
from linkage.events.base import EPOCH, Counts
from linkage.events.deadlines import AnswerAwaited, DeadlineDue
from linkage.events.dispatch import CountyTeamPromised, TeamAnswered, TeamOverdue
from linkage.events.envelope import InboxRecord
from linkage.events.inbound import CloseIncident, JudgeLink, PlaceReport, WithdrawTeam
from linkage.events.information import IncidentOpened, IncidentsLinked, LinkJudged, ReportRevised
from linkage.events.whistle import DepartmentAnswered, DepartmentOverdue, DepartmentsExhausted
from linkage.runtime.outbox import inbox_outgoing
from tests.behaviour.world import PARTITIONS
from tests.console.boards import Watched, play, shown
from tests.small_county import COUNTY, NORTH, RECEIVE_S, SOUTH


def waits_of(board: Board, kind: str) -> list[Wait]:
    return [wait for wait in board.waits if wait.kind == kind]


def overdue_of(board: Board, code: str) -> list[OverdueRow]:
    return [row for row in board.overdue if row.who.code == code]


def test_an_overdue_department_appears_with_its_rung_and_leaves_when_it_answers() -> None:
    """Given a whistle nobody answers, then the board says who, since when, who was told and is told next; once the
    department answers, it says so no more."""

    async def story(watched: Watched) -> None:
        world = watched.world
        await world.report("r1")
        order = await world.whistled("health")
        assert (await watched.board()).overdue == ()
        fact = await world.fact(DepartmentOverdue, party="health", rung=1)
        (row,) = overdue_of(await watched.board(), "health")
        assert (row.subject, row.awaited, row.limit_s, row.rung) == (order.order_id, "received", fact.limit_s, 1)
        assert row.told is not None
        assert (row.told.code, row.told.zh) == ("emergency", "应急管理局")
        assert row.next_told is not None
        assert row.next_at is not None
        assert (row.next_told.code, row.next_at > row.at) == (COUNTY, True)
        await world.fact(DepartmentOverdue, party="health", rung=2)
        (later,) = overdue_of(await watched.board(), "health")
        assert (later.at, later.limit_s, later.rung, later.next_at) == (row.at, row.limit_s, 2, None)
        await world.answer(order, "accepted")
        await world.fact(DepartmentAnswered, order_id=order.order_id)
        assert overdue_of(await watched.board(), "health") == []

    play(story)


def test_a_department_that_is_replaced_stays_overdue_and_names_who_comes_instead() -> None:
    """Given a silent lead, then its row names the next candidate: silence is not absence."""

    async def story(watched: Watched) -> None:
        await watched.world.report("r1")
        await watched.world.whistled("emergency")
        board = await watched.board_with(lambda board: bool(overdue_of(board, "natural-resources")))
        (row,) = overdue_of(board, "natural-resources")
        assert row.replaced_by is not None
        assert row.replaced_by.code == "emergency"

    play(story)


def test_an_unplaced_report_waits_for_the_countys_post_with_the_command_that_places_it() -> None:
    """Given a report without a township, then the county is told what to type, the township nothing; placed, it
    leaves the county's board and opens in the township."""

    async def story(watched: Watched) -> None:
        world = watched.world
        await world.report("lost", township=None, summary="a wall [bold]cracks[/bold]")
        await world.receipt("grid", "lost", outcome="unplaced")
        board = await watched.board(COUNTY)
        (wait,) = waits_of(board, "unplaced")
        assert wait.command == f"linkage command {COUNTY} place grid lost TOWNSHIP --reason WHY"
        assert "somewhere by the river" in wait.text
        assert "[bold]cracks[/bold]" in shown(board), "what a party writes is no markup"
        assert (await watched.board(SOUTH)).waits == ()
        await world.command(COUNTY, PlaceReport(report_sender="grid", report_id="lost", township=SOUTH))
        await world.receipt("grid", "lost", outcome="opened")
        assert waits_of(await watched.board(COUNTY), "unplaced") == []
        assert len((await watched.board(SOUTH)).incidents) == 1

    play(story)


def test_an_unplaced_report_that_is_late_says_who_was_told() -> None:
    """Given a report that nobody places in time, then the county's board names the rung."""

    async def story(watched: Watched) -> None:
        await watched.world.report("lost", township=None)
        board = await watched.board_with(lambda board: "rung 1" in "".join(one.text for one in board.waits), COUNTY)
        (wait,) = waits_of(board, "unplaced")
        assert "应急管理局" in wait.text

    play(story)


def test_a_provisional_level_asks_for_the_numbers_until_they_come() -> None:
    """Given a report without the number of dead, then the post is asked for it; a revision that has it ends that."""

    async def story(watched: Watched) -> None:
        world = watched.world
        await world.report("r1", counts=Counts(people_at_risk=120))
        await world.fact(IncidentOpened)
        board = await watched.board()
        (wait,) = waits_of(board, "provisional")
        assert ("dead 死亡" in wait.text, "at risk" in wait.text) == (True, False)
        assert wait.command == "linkage publish FILE --source grid"
        (incident,) = board.incidents
        assert (incident.level, incident.level_is_provisional) == ("III", True)
        await world.report("r2", supersedes="r1", revision=2, counts=Counts(people_at_risk=120, dead=0))
        await world.fact(ReportRevised)
        board = await watched.board()
        assert waits_of(board, "provisional") == []
        assert not board.incidents[0].level_is_provisional

    play(story)


def test_what_may_be_one_event_waits_for_a_person_until_he_has_judged() -> None:
    """Given a report 15 min after another of its place, then the post is asked; its word ends that."""

    async def story(watched: Watched) -> None:
        world = watched.world
        at = watched.now()
        await world.report("r1", occurred_at=at)
        await world.report("r2", occurred_at=at + timedelta(seconds=900))
        linked = await world.fact(IncidentsLinked)
        (wait,) = waits_of(await watched.board(), "perhaps_one_event")
        assert (wait.subject, wait.kind_zh) == (linked.link_id, "疑似同一事件")
        assert wait.command.startswith(f"linkage command {NORTH} judge-link {linked.link_id} ")
        judge = JudgeLink(link_id=linked.link_id, is_one_event=True, reason="one slope", signed_by="Li")
        await world.command(NORTH, judge)
        await world.fact(LinkJudged)
        assert waits_of(await watched.board(), "perhaps_one_event") == []

    play(story)


def test_a_silent_team_shows_as_unreachable_until_it_answers() -> None:
    """Given a silent team, then the post is told whom to telephone and what to type; the incident counts it silent;
    an answer ends both."""

    async def story(watched: Watched) -> None:
        world = watched.world
        await world.report("r1")
        order = await world.ordered("north-rescue")
        await world.fact(TeamOverdue, team="north-rescue", is_unreachable=True)
        board = await watched.board()
        (wait,) = waits_of(board, "unreachable")
        assert wait.command.startswith(f"linkage command {NORTH} record-answer {order.order_id} ANSWER ")
        assert f"--on-behalf-of {NORTH} " in wait.command
        assert board.incidents[0].teams == TeamCount(needed=1, ordered=1, silent=1)
        (row,) = overdue_of(board, "north-rescue")
        assert row.is_unreachable
        await world.answer(order, "en_route")
        await world.fact(TeamAnswered, order_id=order.order_id)
        board = await watched.board()
        assert (waits_of(board, "unreachable"), overdue_of(board, "north-rescue")) == ([], [])
        assert board.incidents[0].teams.going == 1

    play(story)


def test_a_seat_that_nobody_fills_waits_until_the_incident_is_closed() -> None:
    """Given the only candidate of a seat declines, then the post is asked to find one, until it is over."""

    async def story(watched: Watched) -> None:
        world = watched.world
        await world.report("r1")
        await world.answer(await world.whistled("health"), "declined")
        fact = await world.fact(DepartmentsExhausted, slot=1)
        (wait,) = waits_of(await watched.board(), "no_department")
        assert "卫健局" in wait.text
        assert wait.command == f"linkage replay incident {fact.incident_id}"
        closing = CloseIncident(incident_id=fact.incident_id, reason="over", signed_by="Li")
        await world.command(NORTH, closing, "close")
        await world.receipt(NORTH, "close")
        board = await watched.board()
        assert (waits_of(board, "no_department"), board.incidents, board.overdue) == ([], (), ())
        assert [row.team.code for row in board.coming_back] == ["north-rescue"]

    play(story)


def test_a_seat_whose_last_candidate_is_silent_can_still_be_filled_by_telephone() -> None:
    """Given both candidates of a seat are silent, then what to type records the last one's answer; when it comes, the
    seat waits for nobody."""

    async def story(watched: Watched) -> None:
        world = watched.world
        await world.report("r1")
        order = await world.whistled("emergency")
        await world.fact(DepartmentsExhausted, slot=0, because="silent")
        board = await watched.board()
        assert order.order_id in next(wait for wait in waits_of(board, "no_department") if "lead" in wait.text).command
        await world.answer(order, "accepted")
        await world.fact(DepartmentAnswered, order_id=order.order_id)
        assert not [wait for wait in waits_of(await watched.board(), "no_department") if "lead" in wait.text]

    play(story)


def test_a_refusal_says_whose_fault_until_it_is_mended_or_an_hour_old() -> None:
    """Given a refused command, then the post sees why; an hour later, or once mended under its id, no more."""

    async def story(watched: Watched) -> None:
        world = watched.world
        await world.report("r1")
        opened = await world.fact(IncidentOpened)
        await world.command(NORTH, CloseIncident(incident_id="I-none", reason="over", signed_by="Li"), "close")
        await world.refusal(NORTH, "close")
        (wait,) = waits_of(await watched.board(), "refused")
        assert (wait.fault, "没有该在处事件" in wait.text) == ("sender", True)
        assert waits_of(await watched.board(later=timedelta(minutes=59)), "refused") == [wait]
        assert waits_of(await watched.board(later=timedelta(minutes=61)), "refused") == []
        assert waits_of(await watched.board(SOUTH), "refused") == []
        mended = CloseIncident(incident_id=opened.incident_id, reason="over", signed_by="Li")
        await world.command(NORTH, mended, "close")
        await world.receipt(NORTH, "close")
        assert waits_of(await watched.board(), "refused") == []

    play(story)


def test_a_countys_team_shows_on_both_boards() -> None:
    """Given a county team is lent, then the township sees it among its teams and is told when it is late; the county
    sees for whom it is out, and what waits for its own post."""

    async def story(watched: Watched) -> None:
        world = watched.world
        await world.report("r1")
        await world.answer(await world.ordered("north-rescue"), "declined")
        await world.answer(await world.ordered("north-militia"), "declined")
        order = await world.ordered("county-brigade", "fire-rescue")
        await world.fact(CountyTeamPromised)
        (incident,) = (await watched.board()).incidents
        assert incident.teams == TeamCount(needed=1, ordered=1)
        await world.answer(order, "accepted")
        await world.fact(TeamAnswered, order_id=order.order_id)
        (incident,) = (await watched.board()).incidents
        assert incident.teams == TeamCount(needed=1, going=1)
        (lent,) = (await watched.board(COUNTY)).incidents
        assert lent.township is not None
        assert (lent.incident_id, lent.township.code, lent.whistle) == (incident.incident_id, NORTH, None)
        assert lent.teams == TeamCount(needed=1, going=1)
        assert lent.next_deadline is not None
        assert lent.next_deadline.who.code == "county-brigade"
        await world.fact(TeamOverdue, order_id=order.order_id)
        (here,) = overdue_of(await watched.board(), "county-brigade")
        (there,) = overdue_of(await watched.board(COUNTY), "county-brigade")
        assert (here.is_lent, here.command, there.is_lent) == (True, "", False)
        assert there.command.startswith(f"linkage command {COUNTY} record-answer {order.order_id}")

    play(story)


def test_a_withdrawn_team_is_coming_back_until_it_says_done() -> None:
    """Given a team that is called back, then the board shows by when it must be back, until it says that it is."""

    async def story(watched: Watched) -> None:
        world = watched.world
        await world.report("r1")
        order = await world.ordered("north-rescue")
        await world.command(NORTH, WithdrawTeam(order_id=order.order_id, reason="road closed"), "back")
        await world.receipt(NORTH, "back")
        (row,) = (await watched.board()).coming_back
        assert (row.team.code, row.due_at is not None) == ("north-rescue", True)
        await world.answer(order, "done")
        await world.fact(TeamAnswered, order_id=order.order_id)
        assert (await watched.board()).coming_back == ()

    play(story)


def test_an_order_that_reached_no_topic_waits_for_a_telephone_call() -> None:
    """Given a department whose topic is denied, then the order to it waits, with the command for its answer."""

    async def story(watched: Watched) -> None:
        world = watched.world
        watched.cluster.broker.topics[world.topics.dispatch("health")].denied = True
        await world.report("r1")
        await world.fact(IncidentOpened)
        (wait,) = waits_of(await watched.board(), "undelivered")
        assert ("卫健局" in wait.text, "--on-behalf-of health" in wait.command) == (True, True)

    play(story)


def test_an_answer_that_cannot_be_read_waits_and_ingress_is_behind() -> None:
    """Given ingress stands still and a department has answered, then the board says ingress is behind, on which topic,
    and, past the limit, that the answer is unknown; nobody is overdue by it."""

    async def story(watched: Watched) -> None:
        world = watched.world
        await world.report("r1")
        order = await world.whistled("health")
        for worker in watched.cluster.workers:
            worker.member.ingress.is_stopping = True
        await world.time.sleep(1_000)
        await world.answer(order, "accepted")
        await world.fact(AnswerAwaited, 120, subject=order.order_id)
        board = await watched.board()
        (wait,) = [wait for wait in waits_of(board, "answer_unknown") if wait.subject == order.order_id]
        assert "--on-behalf-of health" in wait.command
        assert board.header.ingress is not None
        assert board.header.ingress.topics == ((world.topics.reply("health"), 1),)
        assert overdue_of(board, "health") == []

    play(story)


def test_the_inbox_is_behind_by_what_would_still_change_something() -> None:
    """Given nobody works, when the inbox holds a "due" for nothing and a report, then one record is behind, and since
    when; given somebody works again, none."""

    async def story(watched: Watched) -> None:
        world = watched.world
        board = await watched.board()
        assert board.header.inbox is not None
        assert board.header.inbox.behind_records == 0
        for worker in watched.cluster.workers:
            worker.kill()
        await world.log.append([inbox_outgoing(world.topics, board.header.partition, one) for one in _letters(watched)])
        await world.time.sleep(7_000)
        board = await watched.board()
        assert board.header.inbox is not None
        assert (board.header.inbox.behind_records, board.header.inbox.oldest_s) == (1, 7)
        for worker in watched.cluster.workers:
            worker.start()
        await world.fact(IncidentOpened)
        board = await watched.board()
        assert board.header.inbox is not None
        assert (board.header.inbox.behind_records, len(board.incidents)) == (0, 1)

    play(story)


def test_the_first_look_takes_nothing_for_waiting_that_was_decided_long_ago() -> None:
    """Given more decided records than the board looks at, when a post looks for the first time, then none waits."""

    async def story(watched: Watched) -> None:
        world = watched.world
        ids = [await world.report(f"r{number}") for number in range(TAIL_LIMIT_RECORDS + 50)]
        await world.receipt("grid", ids[-1])
        board = await watched.board()
        assert board.header.inbox is not None
        assert (board.header.inbox.behind_records, board.header.inbox.is_at_least) == (0, False)

    play(story)


def _letters(watched: Watched) -> list[InboxRecord]:
    from linkage.events.inbound import ReportIncident
    from tests.small_county import SLIDE, VILLAGE

    log_id = watched.cluster.log_ids[identity.partition_of(NORTH, PARTITIONS)]
    due = DeadlineDue(deadline_id="D-none", revision=1, due_at=EPOCH)
    report = ReportIncident.model_validate({"kind": SLIDE, "place": {"village": VILLAGE[NORTH]}})
    return [
        InboxRecord(log_id=log_id, hub=NORTH, kind="clock", sender="clock", message_id="c1", digest="-", data=due),
        InboxRecord(log_id=log_id, hub=NORTH, kind="report", sender="grid", message_id="r1", digest="-", data=report),
    ]


def test_the_last_facts_are_told_in_words_newest_first() -> None:
    """Given a flow, then the board's last facts have the stage's Chinese name and stand in order of time."""

    async def story(watched: Watched) -> None:
        await watched.world.report("r1")
        await watched.world.fact(DepartmentOverdue, party="health", rung=1)
        last = (await watched.board()).last
        assert [one.at for one in last] == sorted((one.at for one in last), reverse=True)
        assert {"吹哨报到", "队伍调动"} <= {one.stage_zh for one in last}
        assert len(last) == 10

    play(story)


def test_the_same_journal_gives_the_same_board_under_another_hash_seed() -> None:
    """Persistent maps iterate by hash; a board does not show it."""
    script = (
        "import json, structlog, logging\n"
        "structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))\n"
        "from tests.console.test_boards import crowded\n"
        "crowded()\n"
    )
    outputs = [
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.getcwd()},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert outputs[0] == outputs[1]
    assert outputs[0].count(b"I-") > 20


def crowded() -> None:
    """Prints the boards of three incidents in which nobody answers, and three unplaced reports."""
    import json

    from linkage.console.entry import entry

    async def story(watched: Watched) -> None:
        world = watched.world
        for number in range(3):
            await world.report(f"r{number}", kind=f"kind-{number}", counts=Counts())
            await world.report(f"lost{number}", township=None)
        await world.time.sleep(RECEIVE_S * 2_000)
        for post in (NORTH, COUNTY):
            print(json.dumps(entry(await watched.board(post)), ensure_ascii=False))

    play(story)
