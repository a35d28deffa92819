"""The audit finds what was lost or doubled, says where, and is silent about a sound journal."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from linkage.replay.audit import Audit, AuditResult, SourceView, audit
from linkage.replay.journal import RawEntry, decode
from tests import small_county as county
from tests.replay.doctored import Item, again, changed, find_fact, has_fact, items, place_of, without
from tests.replay.landslide import landslide

Journal = Sequence[RawEntry]


def only(result: AuditResult, check: str) -> str:
    """The words of the first violation of that check; fails when there is none."""
    found = [f"{one.where}: {one.text}" for one in result.violations if one.check == check]
    assert found, f"{check} found nothing; found: {result.violations}"
    return found[0]


def test_a_sound_journal_has_no_violation_and_says_what_was_looked_at() -> None:
    """Every promise holds over the landslide, on the journal's side and against the topics."""
    left = landslide()
    for result in (audit(left.journal), audit(left.journal, left.view())):
        assert result.violations == ()
        assert result.is_clean
        assert (result.records, result.orders, result.teams) == (len(left.journal), 15, 5)
        assert result.source_records == result.outcomes == len(left.sources)
        assert result.reports == 6
        assert result.deadlines_ended > 20


def _lent_away(item: Item) -> None:
    """The same team once more, under another order."""
    fact = find_fact(item, "TeamOrdered")
    assert fact is not None
    for deadline in (one["fact"] for one in item["facts"] if one["fact"]["type"] == "linkage.DeadlineSet.v0"):
        deadline["deadline_id"] += "-again"
    fact["order_id"] += "-again"


def _doubled(item: Item) -> None:
    """Nothing else changed: the order itself is doubled."""


def _unanswered(item: Item) -> None:
    item["sent"] = [one for one in item["sent"] if one["type"] != "linkage.IssueReceipt.v0"]


def _unsent(item: Item) -> None:
    item["sent"] = [one for one in item["sent"] if one["type"] != "linkage.DispatchTeam.v0"]


def _without_outcome(item: Item) -> None:
    item["facts"] = [one for one in item["facts"] if one["stage"] != "reception"]


def _earlier(item: Item) -> None:
    item["now"] = "2020-01-01T00:00:00Z"


def _of_another_log(item: Item) -> None:
    item["inbox"]["log_id"] = "log-of-another-county"


def _never_set(item: Item) -> None:
    fact = find_fact(item, "DeadlineEnded")
    assert fact is not None
    fact["deadline_id"] = "D-nobody-set"


def _left_open(item: Item) -> None:
    item["facts"] = [one for one in item["facts"] if one["fact"]["type"] != "linkage.DeadlineEnded.v0"]


def _acts_all_the_same(item: Item) -> None:
    item["facts"].append({"stage": "whistle", "fact": _WHISTLE_ENDED})


_WHISTLE_ENDED = {
    "type": "linkage.WhistleEnded.v0",
    "incident_id": "I-1",
    "forget_at": "2026-01-09T00:00:00Z",
    "forgotten": [],
}


def at(fits: Callable[[Item], bool], change: Callable[[Item], None]) -> Callable[[Journal], Journal]:
    return lambda journal: changed(journal, place_of(journal, fits), change)


def repeated(fits: Callable[[Item], bool], change: Callable[[Item], None]) -> Callable[[Journal], Journal]:
    return lambda journal: again(journal, place_of(journal, fits), change)


ORDERED = has_fact("TeamOrdered", team="county-brigade")
REPORTED = has_fact("IncidentOpened")

TAMPERED: list[tuple[str, Callable[[Journal], Journal], str, str]] = [
    ("order doubled", repeated(ORDERED, _doubled), "each order once", "stands at journal"),
    ("order not sent", at(ORDERED, _unsent), "each order once", "was decided and not sent"),
    (
        "two holders",
        repeated(has_fact("TeamOrdered", team="south-rescue"), _lent_away),
        "one holder",
        "team south-rescue is ordered by",
    ),
    (
        "released twice",
        repeated(has_fact("TeamReleased", team="county-brigade"), _doubled),
        "one holder",
        "team county-brigade is released",
    ),
    ("outcome removed", at(REPORTED, _without_outcome), "one outcome", "has 0 outcomes"),
    ("decided again", repeated(REPORTED, _doubled), "one outcome", "was recorded (opened) already"),
    ("no receipt", at(REPORTED, _unanswered), "every report is answered", "got neither receipt nor refusal"),
    (
        "refusal with consequences",
        at(has_fact("MessageRefused"), _acts_all_the_same),
        "a refusal stands alone",
        "yet 1 facts follow",
    ),
    (
        "deadline ended twice",
        repeated(has_fact("DeadlineEnded"), _doubled),
        "each deadline ends once",
        "ended at journal",
    ),
    ("deadline never set", at(has_fact("DeadlineEnded"), _never_set), "each deadline ends once", "none was set"),
    ("deadline set twice", repeated(has_fact("DeadlineSet"), _doubled), "each deadline ends once", "is set again"),
    ("deadline left open", at(has_fact("IncidentClosed"), _left_open), "each deadline ends once", "has not ended"),
    ("time goes back", at(has_fact("IncidentClosed"), _earlier), "a hub has one order", "was at"),
    ("another log's record", at(REPORTED, _of_another_log), "one log identity", "log-of-another-county"),
]


@pytest.mark.parametrize(("tamper", "check", "words"), [one[1:] for one in TAMPERED], ids=[one[0] for one in TAMPERED])
def test_what_is_wrong_in_the_journal_is_found_and_named(
    tamper: Callable[[Journal], Journal], check: str, words: str
) -> None:
    """Each promise broken by itself is found by its check, with the journal's partition and offset."""
    result = audit(tamper(landslide().journal))
    found = only(result, check)
    assert words in found
    assert found.startswith("journal ")
    assert not result.is_clean


def test_a_position_that_comes_again_is_found() -> None:
    """The same inbox record must not stand in the journal twice, however it got there."""
    journal = landslide().journal
    index = place_of(journal, REPORTED)
    position = items(journal)[index]["position"]
    result = audit(again(journal, index, lambda item: item.update(position=position)))
    assert f"inbox position {position} is decided after" in only(result, "positions rise")


def test_an_offset_that_comes_again_is_found() -> None:
    """A journal file whose lines were doubled is no journal."""
    journal = landslide().journal
    index = place_of(journal, REPORTED)
    result = audit((*journal[: index + 1], journal[index], *journal[index + 1 :]))
    assert f"offset {journal[index].offset} comes after {journal[index].offset}" in only(result, "positions rise")
    assert "is decided twice" in " ".join(one.text for one in result.violations)


def test_a_missing_or_second_log_identity_is_found() -> None:
    """A partition begins with its identity, and has no other."""
    journal = landslide().journal
    home = journal[place_of(journal, REPORTED)].partition
    first = next(index for index, one in enumerate(journal) if one.partition == home)
    last = max(index for index, one in enumerate(journal) if one.partition == home)
    assert "before any log identity" in only(audit(without(journal, first)), "one log identity")
    late = replace(journal[first], offset=journal[last].offset + 1)
    result = audit((*journal[: last + 1], late, *journal[last + 1 :]))
    assert "stands not at 0" in only(result, "one log identity")
    assert any("a second log identity" in one.text for one in result.violations)


def test_a_hub_in_two_partitions_is_found() -> None:
    journal = landslide().journal
    index = place_of(journal, has_fact("IncidentClosed"))
    result = audit(changed(journal, index, lambda item: None, partition=3))
    assert f"hub {county.NORTH} is decided here and in partition" in only(result, "a hub has one order")


def test_a_record_that_ingress_appended_twice_is_a_repetition() -> None:
    """At least once is what ingress promises; the hub makes once of it, and the audit agrees."""
    journal = landslide().journal

    def repeats(item: Item) -> None:
        recorded = find_fact(item, "MessageRecorded")
        assert recorded is not None
        kept = ("sender", "message_id", "kind", "outcome", "incident_id")
        fact = {"type": "linkage.MessageRepeated.v0", **{name: recorded[name] for name in kept}}
        item["facts"] = [{"stage": "reception", "fact": fact}]
        item["sent"] = [one for one in item["sent"] if one["type"] == "linkage.IssueReceipt.v0"]

    assert audit(again(journal, place_of(journal, REPORTED), repeats)).violations == ()


def seen(view: SourceView) -> AuditResult:
    return audit(landslide().journal, view)


def test_a_source_record_without_outcome_is_found() -> None:
    """What a party's topic holds and no journal decides is lost: it is named by topic and offset."""
    left = landslide()
    extra = left.sources[-1]._replace(offset=left.sources[-1].offset + 1)
    view = replace(left.view(), sources=(*left.sources, extra))
    found = only(seen(view), "every source record")
    assert found == f"{extra.topic} {extra.partition}/{extra.offset}: this record has no outcome in the journal"


def test_an_outcome_without_source_record_is_found_and_an_expired_one_is_not() -> None:
    """The journal can't decide what nobody said; what retention has deleted is no violation."""
    left = landslide()
    first = left.sources[0]
    view = replace(left.view(), sources=left.sources[1:])
    assert f"{first.topic} 0/{first.offset}" in only(seen(view), "every source record")
    spans = tuple(
        (name, at, first.offset + 1 if name == first.topic else begin, end) for name, at, begin, end in left.spans
    )
    kept = tuple(one for one in left.sources if one.topic != first.topic or one.offset > first.offset)
    assert seen(replace(view, spans=spans, sources=kept)).violations == ()


def _index_of_order() -> int:
    kinds = [dict(one.headers)["ce_type"] for one in landslide().dispatch]
    return kinds.index(b"linkage.DispatchTeam.v0")


def test_an_order_that_a_reader_sees_twice_is_found() -> None:
    left = landslide()
    order = left.dispatch[_index_of_order()]
    result = seen(replace(left.view(), dispatch=(*left.dispatch, order._replace(offset=9_999))))
    assert only(result, "orders in dispatch topics").startswith(f"{order.topic} {order.partition}/9999: order O-")
    assert "was sent 1 times by the journal and stands there 2 times" in only(result, "messages as sent")


def test_an_order_that_no_reader_sees_is_found() -> None:
    left = landslide()
    index = _index_of_order()
    result = seen(replace(left.view(), dispatch=(*left.dispatch[:index], *left.dispatch[index + 1 :])))
    assert "is on no topic" in only(result, "orders in dispatch topics")
    assert result.may_settle


def test_an_order_that_says_something_else_than_the_journal_is_found() -> None:
    """The same id with another content is another order: never."""
    left = landslide()
    index = _index_of_order()
    order = left.dispatch[index]
    value = (order.value or b"").replace(b'"team":"', b'"team":"another-')
    result = seen(
        replace(
            left.view(), dispatch=(*left.dispatch[:index], order._replace(value=value), *left.dispatch[index + 1 :])
        )
    )
    assert "the journal says" in only(result, "orders in dispatch topics")
    assert not result.may_settle


def test_an_order_the_journal_does_not_know_is_found() -> None:
    """Whatever stands on a dispatch topic was decided."""
    left = landslide()
    index = _index_of_order()
    order = left.dispatch[index]
    forged = order._replace(
        offset=9_999, value=(order.value or b"").replace(b'"order_id":"O-', b'"order_id":"O-forged')
    )
    result = seen(replace(left.view(), dispatch=(*left.dispatch, forged)))
    assert "does not stand in the journal" in only(result, "orders in dispatch topics")


def test_what_is_on_its_way_settles_when_looked_at_again() -> None:
    """Records still missing at one look count only when they are missing at the next one, too."""
    left = landslide()
    session = Audit(with_topics=True)
    for span in left.spans:
        session.sources.take_span(*span)
    for source in left.sources:
        session.take_source(source)
    for sent in left.dispatch:
        session.take_dispatch(sent)
    for entry in left.journal[:-3]:
        session.take(decode(entry))
    first = session.result()
    assert not first.is_clean
    assert first.may_settle
    for entry in left.journal[-3:]:
        session.take(decode(entry))
    assert session.result().still(first).is_clean
