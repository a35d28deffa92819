"""The public contract: what `schemas/` promises is what the engine writes and reads."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator, Draft202012Validator
from pydantic import BaseModel

from linkage import contract, engine, events
from linkage.contract import json_schemas, words
from linkage.contract.channels import channels, members
from linkage.engine import Hub, Step
from linkage.events import envelope
from linkage.events.base import Attachment, Attested, Channel, Counts, Place
from linkage.events.between_hubs import ProposeLink
from linkage.events.deadlines import AnswerUnknown, DeadlineDue
from linkage.events.envelope import InboxRecord, JournalRecord, LogIdentity, Origin, PublishedFact
from linkage.events.inbound import (
    Answer,
    AnswerOrder,
    CloseIncident,
    JudgeLink,
    LoadReference,
    PlaceReport,
    RecordAnswer,
    ReportIncident,
    WithdrawTeam,
)
from linkage.events.outbound import DispatchTeam, WhistleDepartment
from linkage.events.reception import SourceGap, UnreadableRecord
from linkage.runtime.admission import ALLOWED
from linkage.topics import TABLE, Family
from tests import small_county
from tests.command_line import run
from tests.small_county import COUNTY, NORTH, SLIDE, SOUTH, VILLAGE

COMMITTED = Path(__file__).parent.parent / "schemas"
START = datetime(2026, 7, 1, 8, tzinfo=UTC)
ATTESTED = Attested(on_behalf_of="health", channel=Channel.PHONE, heard_at=START, recorded_by="Wang")
FULL_REPORT = ReportIncident(
    exercise=True,
    occurred_at=START,
    learned_at=START,
    revision=2,
    supersedes="m-0",
    actor="Li",
    role="grid worker",
    attested=ATTESTED,
    attachments=(Attachment(uri="https://county.example/1.jpg", media_type="image/jpeg", sha256="0" * 64),),
    kind=SLIDE,
    place=Place(township=NORTH, village=VILLAGE[NORTH], words="behind the school", latitude=31.2, longitude=108.4),
    counts=Counts(people_at_risk=600, trapped=2, loss_cny=1_000_000, area_ha=1.5),
    life_at_risk=True,
    summary="slope moves",
    hub=NORTH,
)


@cache
def validator(message: type[BaseModel]) -> Draft202012Validator:
    """By the committed file, not by what would be generated now."""
    schema = json.loads((COMMITTED / json_schemas.file_name(message)).read_text(encoding="utf-8"))
    return Draft202012Validator(schema)


def assert_valid(message: BaseModel, *, exclude_none: bool = False) -> None:
    text = message.model_dump_json(exclude_none=exclude_none)
    errors = [f"{error.json_path}: {error.message}" for error in validator(type(message)).iter_errors(json.loads(text))]
    assert not errors, f"{type(message).__name__}: {errors[:3]}"


class Hubs:
    """The small county's hubs, stepped in memory: every record that an inbox would hold, in order."""

    def __init__(self) -> None:
        self.hubs = {code: Hub(code) for code in small_county.HUBS}
        self.now = START
        self.letters: list[InboxRecord] = []
        self.steps: list[tuple[InboxRecord, Step]] = []

    def take(self, hub: str, kind: envelope.InboxKind, sender: str, data: Any) -> Step:
        number = len(self.letters)
        origin = Origin(topic=f"linkage.{kind}.{sender}", partition=0, offset=number, appended_at=self.now)
        letter = InboxRecord(
            log_id="log-1",
            hub=hub,
            kind=kind,
            sender=sender,
            message_id=f"m-{number}",
            digest=f"d-{number}",
            sent_at=self.now,
            origin=origin if kind not in ("hub", "clock") else None,
            data=data,
        )
        return self.take_again(letter)

    def take_again(self, letter: InboxRecord) -> Step:
        self.letters.append(letter)
        self.now += timedelta(seconds=1)
        step = engine.step(self.hubs[letter.hub], letter, self.now)
        self.hubs[letter.hub] = step.hub
        self.steps.append((letter, step))
        for addressed in step.messages:
            if addressed.to.value == "hub":
                self.take(addressed.name, "hub", letter.hub, addressed.message)
        return step

    def of_kind(self, kind: type[BaseModel]) -> list[InboxRecord]:
        return [letter for letter in self.letters if isinstance(letter.data, kind)]

    def sent(self, kind: type[BaseModel]) -> list[Any]:
        return [one.message for _, step in self.steps for one in step.messages if isinstance(one.message, kind)]

    def let_everything_fall_due(self, limit_rounds: int = 3) -> None:
        for _ in range(limit_rounds):
            for hub in self.hubs.values():
                partition = engine.Partition(engine.Partition().hubs.set(hub.code, hub))
                for code, deadline in list(engine.open_deadlines(partition)):
                    self.now = max(self.now, deadline.due_at)
                    due = DeadlineDue(deadline_id=deadline.deadline_id, revision=deadline.revision, due_at=self.now)
                    self.take(code, "clock", "clock", due)


def give_back_a_lent_team(hubs: Hubs) -> None:
    """The south's incident ends before the county's team has gone; the team comes back and says so."""
    place = Place(township=SOUTH, village=VILLAGE[SOUTH])
    hubs.take(SOUTH, "report", "grid", ReportIncident(kind=SLIDE, place=place, counts=Counts(people_at_risk=600)))
    lent = next(order for order in hubs.sent(DispatchTeam) if order.hub == COUNTY)
    closing = CloseIncident(incident_id=lent.briefing.incident_id, reason="stable", signed_by="Zhao")
    hubs.take(SOUTH, "command", SOUTH, closing)
    hubs.take(COUNTY, "reply", lent.party, AnswerOrder(order_id=lent.order_id, hub=COUNTY, answer=Answer.DONE))


def link_across_the_border(hubs: Hubs) -> None:
    """Both townships hear of one slide on their border; the county links it and a person says that it is one."""
    at = {"words": "Ridge Rd", "latitude": 30.1, "longitude": 110.05}
    for township in (NORTH, SOUTH):
        hubs.take(township, "report", "grid", ReportIncident(kind=SLIDE, place=Place(township=township, **at)))
    (proposed,) = hubs.of_kind(ProposeLink)
    judge = JudgeLink(link_id=proposed.data.link_id, is_one_event=True, reason="one slope", signed_by="Zhao")
    hubs.take(COUNTY, "command", COUNTY, judge)
    for incident in (proposed.data.one, proposed.data.other):
        closing = CloseIncident(incident_id=incident.incident_id, reason="stable", signed_by="Zhao")
        hubs.take(incident.hub, "command", incident.hub, closing)


@cache
def played() -> Hubs:
    """One incident through nearly everything that can happen to it."""
    hubs = Hubs()
    for code in small_county.HUBS:
        loading = LoadReference(hub=code, reference=small_county.reference(code))
        hubs.take(code, "command", COUNTY, loading)
    give_back_a_lent_team(hubs)
    hubs.take(COUNTY, "report", "hotline", ReportIncident(kind=SLIDE, summary="somewhere in the hills"))
    unplaced = hubs.letters[-1].message_id
    hubs.take(COUNTY, "command", COUNTY, PlaceReport(report_sender="hotline", report_id=unplaced, township=SOUTH))
    hubs.take(NORTH, "report", "grid", FULL_REPORT.model_copy(update={"supersedes": None}))
    first_report = hubs.of_kind(ReportIncident)[-1]
    hubs.take_again(first_report)
    hubs.take(NORTH, "report", "hotline", ReportIncident(kind=SLIDE, place=FULL_REPORT.place))
    worse = {"supersedes": first_report.message_id, "counts": Counts(people_at_risk=2000)}
    hubs.take(NORTH, "report", "grid", FULL_REPORT.model_copy(update=worse))
    orders = [one for one in [*hubs.sent(WhistleDepartment), *hubs.sent(DispatchTeam)] if one.hub == NORTH]
    for order, answer in zip(orders, [Answer.RECEIVED, Answer.DECLINED, Answer.REPORTED_IN], strict=False):
        hubs.take(order.hub, "reply", order.party, AnswerOrder(order_id=order.order_id, hub=order.hub, answer=answer))
    health = next(order for order in orders if order.party == "health")
    heard = RecordAnswer(order_id=health.order_id, answer=Answer.ACCEPTED, attested=ATTESTED, eta_at=START)
    hubs.take(NORTH, "command", NORTH, heard)
    first = next(iter(engine.open_deadlines(engine.Partition(engine.Partition().hubs.set(NORTH, hubs.hubs[NORTH])))))[1]
    unknown = AnswerUnknown(deadline_id=first.deadline_id, revision=first.revision, waited_s=60)
    hubs.take(NORTH, "clock", "clock", unknown)
    hubs.let_everything_fall_due()
    team = next(order for order in hubs.sent(DispatchTeam) if order.hub == NORTH)
    hubs.take(NORTH, "command", NORTH, WithdrawTeam(order_id=team.order_id, reason="road cut", replace=True))
    hubs.take(COUNTY, "ingress", "ingress", UnreadableRecord(code="unreadable", reason="no JSON", bytes_base64="AAAA"))
    hubs.take(COUNTY, "ingress", "ingress", SourceGap(topic="a.b", partition=0, from_offset=3, to_offset=9))
    closing = CloseIncident(incident_id=team.briefing.incident_id, reason="stable", signed_by="Zhao")
    hubs.take(NORTH, "command", NORTH, closing)
    link_across_the_border(hubs)
    return hubs


def played_facts() -> Iterator[tuple[InboxRecord, Step, envelope.StagedFact]]:
    for letter, step in played().steps:
        for staged in step.facts:
            yield letter, step, staged


def test_the_committed_files_are_what_the_code_generates_now() -> None:
    """Nobody can change a message or a topic without the change showing in `schemas/`."""
    assert contract.differences(COMMITTED) == []


@pytest.mark.parametrize("message", json_schemas.MESSAGES, ids=json_schemas.type_name)
def test_each_schema_is_valid_and_complete_in_itself(message: type[BaseModel]) -> None:
    """A validator needs one file, and neither dialect (2020-12, AsyncAPI's draft 7) finds fault with it."""
    schema = json.loads((COMMITTED / json_schemas.file_name(message)).read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    Draft7Validator.check_schema({name: part for name, part in schema.items() if name != "$schema"})
    assert schema["$id"] == f"urn:linkage:schema:{message.__name__}.v0"
    assert schema["title"] == message.__name__
    assert schema["description"] == " ".join((message.__doc__ or "").split()) != ""
    references = list(_references(schema))
    assert all(reference.startswith("#/$defs/") for reference in references)
    assert {reference.removeprefix("#/$defs/") for reference in references} == schema.get("$defs", {}).keys()


def test_every_type_of_the_vocabulary_has_its_file() -> None:
    """A type with a version that is defined anywhere in `linkage.events` cannot be left out."""
    types = [kind for module in _vocabulary() for kind in vars(module).values() if isinstance(kind, type)]
    models = [kind for kind in types if issubclass(kind, BaseModel) and "type" in kind.model_fields]
    versioned = {kind for kind in models if kind.model_fields["type"].default == f"linkage.{kind.__name__}.v0"}
    assert versioned == set(json_schemas.MESSAGES)


def test_field_docstrings_reach_those_who_read_the_schema() -> None:
    """What the code says below a field stands in the file as its description."""
    withdraw = json_schemas.schema(WithdrawTeam)["properties"]["replace"]
    assert withdraw["description"] == "True: the next candidate goes in its place."


def test_everything_the_engine_writes_is_valid_by_its_schema() -> None:
    """Facts, orders, notices, receipts, refusals, inbox and journal records of a whole incident."""
    hubs = played()
    for position, (letter, step) in enumerate(hubs.steps):
        assert_valid(letter)
        record = JournalRecord(
            position=position,
            hub=letter.hub,
            now=step.hub.now,
            rules=engine.RULES,
            inbox=letter,
            facts=step.facts,
            sent=(),
        )
        assert_valid(record)
        for addressed in step.messages:
            assert_valid(addressed.message)
    for letter, step, staged in played_facts():
        assert_valid(staged.fact)
        published = PublishedFact(
            hub=letter.hub, position=1, index=0, stage=staged.stage, now=step.hub.now, fact=staged.fact
        )
        assert_valid(published)
    for entry in small_county.registry():
        assert_valid(entry)
    assert_valid(LogIdentity(log_id="log-1"))


def test_the_played_incident_says_nearly_everything_that_can_be_said() -> None:
    """The test above is worth what its incident is worth: which types it does not show is known by name."""
    seen = {type(staged.fact).__name__ for _, _, staged in played_facts()}
    sent = {type(one.message).__name__ for _, step in played().steps for one in step.messages}
    taken = {type(letter.data).__name__ for letter in played().letters}
    records = {"InboxRecord", "JournalRecord", "LogIdentity", "PublishedFact", "RegisterParty"}
    unseen = {message.__name__ for message in json_schemas.MESSAGES} - seen - sent - taken - records
    assert unseen <= NOT_PLAYED


NOT_PLAYED = {
    "CountyUnanswered",  # the county answers at once here
    "ReportStillUnplaced",  # the desk places it in time
    "DepartmentNotified",  # nobody in the small county is only notified
}


@pytest.mark.parametrize("exclude_none", [True, False])
def test_what_clients_send_is_valid_with_and_without_its_unknown_fields(exclude_none: bool) -> None:
    """`linkage.Publisher` leaves out what is None; others write null. Both are in the contract."""
    for letter in played().letters:
        if isinstance(letter.data, tuple(members(envelope.PartyMessage))):
            assert_valid(letter.data, exclude_none=exclude_none)


def test_the_type_may_be_left_to_the_header_by_parties_and_by_nobody_else() -> None:
    """A party's message says its type in `ce_type`; everything else is told apart by the data."""
    for message in json_schemas.MESSAGES:
        is_required = "type" in json_schemas.schema(message)["required"]
        assert is_required == (message not in members(envelope.PartyMessage)), message


ODD: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, "", "x", "Ⅲ", "990909001", "9" * 12, "9" * 14, 0, -1, 1, 1.5, 91, 10**14, [], {}, [{}], "x" * 2001]
)


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in items:
        yield from _paths(item, (*path, name))


REPORT_JSON = FULL_REPORT.model_dump_json()
INSTANTS = {"occurred_at", "learned_at", "heard_at"}
PATHS = [path for path in _paths(json.loads(REPORT_JSON)) if path[-1] not in INSTANTS]


@settings(deadline=None)
@given(changes=st.lists(st.tuples(st.sampled_from(PATHS), ODD), max_size=2), more=st.sampled_from([None, "surprise"]))
def test_whatever_the_schema_of_a_report_accepts_the_engine_reads(
    changes: list[tuple[tuple[Any, ...], Any]], more: str | None
) -> None:
    """A sender that checks against the schema is never refused for the form of its report."""
    data = json.loads(REPORT_JSON)
    for path, value in changes:
        _put(data, path, value)
    if more is not None:
        data[more] = 1
    if validator(ReportIncident).is_valid(data):
        ReportIncident.model_validate_json(json.dumps(data))


def _put(data: Any, path: tuple[Any, ...], value: Any) -> None:
    *way, last = path
    for part in way:
        if not isinstance(data, dict | list) or (isinstance(data, dict) and part not in data) or data == []:
            return
        data = data[part]
    if isinstance(data, dict) or (isinstance(data, list) and isinstance(last, int) and last < len(data)):
        data[last] = value


@pytest.mark.parametrize(
    "change",
    [
        {"kind": ""},
        {"surprise": 1},
        {"hub": "99"},
        {"counts": {"dead": -1}},
        {"place": {"latitude": 91}},
        {"revision": 0},
        {"type": "linkage.AnswerOrder.v0"},
        {"summary": "x" * 2001},
        {"attachments": [{"uri": "u", "media_type": "m"}] * 21},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_ingress_would_refuse_the_schema_refuses(change: dict[str, Any]) -> None:
    """A mistake is found by the sender's own validator, before it is sent."""
    data = {**json.loads(REPORT_JSON), **change}
    assert not validator(ReportIncident).is_valid(data)
    with pytest.raises(ValueError, match="validation error"):
        ReportIncident.model_validate_json(json.dumps(data))


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    read = yaml.safe_load((COMMITTED / contract.ASYNCAPI_FILE).read_text(encoding="utf-8"))
    assert isinstance(read, dict)
    return read


def test_the_asyncapi_document_has_what_its_specification_requires(document: dict[str, Any]) -> None:
    """AsyncAPI 3.0.0: root, info, servers, channels with addresses, operations with an action and a channel."""
    assert document["asyncapi"] == "3.0.0"
    assert {"title", "version"} <= document["info"].keys()
    for server in document["servers"].values():
        assert server["protocol"] in ("kafka", "kafka-secure")
        assert server["host"]
    for channel in document["channels"].values():
        parameters = channel.get("parameters", {})
        assert channel["address"].count("{") == len(parameters)
        assert all(f"{{{name}}}" in channel["address"] for name in parameters)
        assert channel["bindings"]["kafka"]["partitions"] >= 1
    for operation in document["operations"].values():
        assert operation["action"] in ("send", "receive")
        own = operation["channel"]["$ref"]
        assert all(message["$ref"].startswith(f"{own}/messages/") for message in operation["messages"])
        if "reply" in operation:
            reply = operation["reply"]
            assert all(one["$ref"].startswith(f"{reply['channel']['$ref']}/messages/") for one in reply["messages"])
    assert {scheme["type"] for scheme in document["components"]["securitySchemes"].values()} == {
        "plain",
        "scramSha256",
        "scramSha512",
    }


def test_every_reference_of_the_document_leads_somewhere(document: dict[str, Any]) -> None:
    """Into the document, or to a schema file beside it."""
    references = list(_references(document))
    assert references
    for reference in references:
        file, _, pointer = reference.partition("#")
        if file:
            assert (COMMITTED / file).is_file(), reference
        else:
            assert _resolved(document, pointer) is not None, reference


def test_each_row_of_the_topic_table_is_one_channel_and_kept_as_the_table_says(document: dict[str, Any]) -> None:
    """Names, partitions, cleanup, retention and sizes come from the table alone."""
    assert set(words.WORDS) == {spec.family for spec in TABLE} == set(Family)
    assert list(document["channels"]) == [spec.family.name.lower() for spec in TABLE]
    for spec in TABLE:
        channel = document["channels"][spec.family.name.lower()]
        address = channel["address"].partition("{")[0]
        assert address == f"linkage.{spec.family.value}"
        assert ("{" in channel["address"]) == spec.family.value.endswith(".")
        topic = channel["bindings"]["kafka"]["topicConfiguration"]
        assert topic["cleanup.policy"] == [spec.cleanup]
        assert topic["retention.ms"] == spec.retention_ms
        assert topic["max.message.bytes"] == spec.message_limit_bytes


def test_every_message_stands_on_exactly_the_right_channels(document: dict[str, Any]) -> None:
    """A new message cannot be forgotten: each union's types are where the wire has them, and nowhere else."""
    found = {name: _payloads(document, channel) for name, channel in document["channels"].items()}
    names = {family.name.lower(): {json_schemas.file_name(kind) for kind in kinds} for family, kinds in ALLOWED.items()}
    assert set().union(*names.values()) == {json_schemas.file_name(kind) for kind in members(envelope.PartyMessage)}
    names["dispatch"] = {json_schemas.file_name(kind) for kind in members(envelope.PartyBound)}
    names["inbox"] = {"InboxRecord.v0.json"}
    names["journal"] = {"JournalRecord.v0.json", "LogIdentity.v0.json"}
    names["registry"] = {"RegisterParty.v0.json"}
    names["rejected"] = {"RejectRecord.v0.json"}
    names["lease"] = set()
    stages = {row.name: row.facts for row in channels() if row.facts}
    for name, facts in stages.items():
        names[name] = {"PublishedFact.v0.json", *(json_schemas.file_name(fact) for fact in facts)}
    assert found == names
    published = {fact for facts in stages.values() for fact in facts}
    assert published == set(members(envelope.Fact))


def test_a_stage_s_message_narrows_to_that_stage_s_facts(document: dict[str, Any]) -> None:
    """Every fact that the engine decides stands among those that its stage's channel names."""
    topics = {row.spec.family.value: row for row in channels() if row.facts}
    assert topics.keys() == {staged.stage for _, _, staged in played_facts()}
    for _, _, staged in played_facts():
        assert type(staged.fact) in topics[staged.stage].facts


def test_what_stays_inside_the_engine_has_no_operation(document: dict[str, Any]) -> None:
    """Everybody outside sees what he may do, and nothing else: inbox and lease belong to the engine."""
    used = {operation["channel"]["$ref"].rpartition("/")[2] for operation in document["operations"].values()}
    assert document["channels"].keys() - used == {"inbox", "lease"}
    sends = {name for name, operation in document["operations"].items() if operation["action"] == "send"}
    assert sends == {"sendReport", "sendReply", "sendCommand", "registerParty"}
    for operation in document["operations"].values():
        if operation["action"] == "receive":
            assert operation["x-kafka-consumer"] == {"isolation.level": "read_committed"}


def test_messages_of_the_outside_carry_cloudevents_attributes(document: dict[str, Any]) -> None:
    """`ce_type` names the type; only what the engine keeps to itself has no headers."""
    bare = {name for name, message in document["components"]["messages"].items() if "headers" not in message}
    assert bare == {"InboxRecord", "JournalRecord", "LogIdentity"}
    for name, message in document["components"]["messages"].items():
        if name not in bare:
            assert message["headers"]["properties"]["ce_type"]["const"] == message["name"]
    attributes = document["components"]["schemas"]["CloudEventsHeaders"]
    assert set(attributes["required"]) == {"ce_specversion", "ce_id", "ce_source", "ce_type"}
    assert {"ce_time", "ce_subject", "content-type"} <= attributes["properties"].keys()


def test_the_contract_says_in_words_what_readers_and_writers_rely_on(document: dict[str, Any]) -> None:
    """read_committed, redelivery, ids and the life cycle of an answer stand where every reader of it begins."""
    says = document["info"]["description"]
    assert "isolation.level=read_committed" in says
    assert words.life_cycle() == "`received` -> `accepted` -> `en_route` -> `reported_in` -> `done`"
    assert words.life_cycle() in says
    for promise in ("same_id_other_content", "at least once", "order_id", "1048576 bytes", "StandDown"):
        assert promise in says


def test_check_names_what_is_missing_stale_or_changed(tmp_path: Path) -> None:
    """`write` makes the folder current, once; `check` then tells each way of not being so apart."""
    assert contract.write(tmp_path) == sorted(contract.documents())
    assert contract.write(tmp_path) == []
    assert contract.differences(tmp_path) == []
    (tmp_path / "ReportIncident.v0.json").unlink()
    (tmp_path / "Forgotten.v0.json").write_text("{}")
    (tmp_path / "notes.md").write_text("somebody's own")
    (tmp_path / "asyncapi.yaml").write_text("asyncapi: 2.0.0\n")
    missing, stale, changed = contract.differences(tmp_path)
    assert missing == "ReportIncident.v0.json: missing"
    assert stale == "Forgotten.v0.json: no longer generated"
    assert changed.startswith("asyncapi.yaml: not current\n")
    assert "-asyncapi: 2.0.0" in changed
    assert contract.write(tmp_path) == ["Forgotten.v0.json", "ReportIncident.v0.json", "asyncapi.yaml"]
    assert (tmp_path / "notes.md").exists()


async def test_the_command_line_tells_the_same_with_its_exit_code(tmp_path: Path) -> None:
    """`linkage schemas check` fails in a build where somebody forgot to write them."""
    stale = await run(None, "schemas", "check", str(tmp_path))
    assert stale.code == 1
    assert "asyncapi.yaml: missing" in stale.out
    written = await run(None, "schemas", "write", str(tmp_path), "--json")
    assert written.code == 0
    assert written.entries[0]["files"] == len(contract.documents())
    current = await run(None, "schemas", "check", str(tmp_path), "--json")
    assert (current.code, current.entries[0]["differences"]) == (0, [])


def _vocabulary() -> Iterator[Any]:
    for module in iter_modules(events.__path__, "linkage.events."):
        yield import_module(module.name)


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for item in part.values():
            yield from _references(item)
    elif isinstance(part, list):
        for item in part:
            yield from _references(item)


def _resolved(document: dict[str, Any], pointer: str) -> Any:
    part: Any = document
    for name in pointer.strip("/").split("/"):
        part = part[name]
    return part


def _payloads(document: dict[str, Any], channel: dict[str, Any]) -> set[str]:
    """The schema files that the messages of a channel refer to."""
    messages = [_resolved(document, message["$ref"].removeprefix("#")) for message in channel["messages"].values()]
    return {reference.removeprefix("./") for message in messages for reference in _references(message["payload"])}
