"""The checker passes one real run, and names the record that was altered in it, whichever it is."""

import ast
import asyncio
import json
import secrets
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from linkage import local_kafka
from tests import checker_run
from tests.checker import __main__ as command
from tests.checker import dump
from tests.checker.contract import Contract
from tests.checker.dump import Entry
from tests.checker.judge import judge
from tests.kafka_county import KafkaCounty

pytestmark = pytest.mark.kafka

FOLDER = Path(__file__).parent
OF_THE_CHECKER = [path for path in sorted(FOLDER.glob("*.py")) if not path.name.startswith("test_")]
WRONG: tuple[Any, ...] = (None, 17, "?", -1, [], {})
ORDERS = ("linkage.WhistleDepartment.v0", "linkage.DispatchTeam.v0", "linkage.StandDown.v0")

Doctored = tuple[list[Entry], Entry, str]
"""(the entries, the record that must be named, by the rule)"""


@pytest.fixture(scope="session")
def real_run(kafka: local_kafka.RunningKafka, tmp_path_factory: pytest.TempPathFactory) -> list[Entry]:
    """What one real run left, read back from the file it was dumped to."""
    namespace, folder = f"t{secrets.token_hex(5)}", tmp_path_factory.mktemp("checked")

    async def run() -> None:
        async with KafkaCounty(kafka.bootstrap_servers, namespace, folder, scale=checker_run.SCALE) as county:
            await checker_run.play(county)

    asyncio.run(run())
    path = folder / "dump.jsonl"
    dump.write(path, dump.read_namespace(kafka.bootstrap_servers, namespace))
    return dump.load(path)


@pytest.fixture(scope="session")
def contract() -> Contract:
    return Contract()


def value_of(entry: Entry) -> dict[str, Any]:
    return json.loads(entry.value or "")


def on(entries: list[Entry], ending: str) -> Iterator[tuple[int, Entry, dict[str, Any]]]:
    for index, entry in enumerate(entries):
        if ending in entry.topic and (entry.value or "").startswith("{"):
            yield index, entry, value_of(entry)


def fact_at(entries: list[Entry], type_name: str, **wanted: Any) -> tuple[int, Entry, dict[str, Any], int]:
    """The first journal record with such a fact, and where the fact stands in it."""
    for index, entry, value in on(entries, ".hub.journal"):
        for number, staged in enumerate(value.get("facts", ())):
            fact = staged["fact"]
            if fact["type"] == f"linkage.{type_name}.v0" and wanted.items() <= fact.items():
                return index, entry, value, number
    raise LookupError(f"the run has no {type_name} {wanted}")


def altered(entries: list[Entry], index: int, value: dict[str, Any]) -> list[Entry]:
    return [*entries[:index], replace(entries[index], value=json.dumps(value)), *entries[index + 1 :]]


def first_order(entries: list[Entry]) -> tuple[int, Entry, dict[str, Any]]:
    return next((i, e, v) for i, e, v in on(entries, ".dispatch.") if v["type"] in ORDERS)


def order_doubled(entries: list[Entry]) -> Doctored:
    _index, order, _value = first_order(entries)
    again = replace(order, offset=1_000_000)
    return [*entries, again], again, "orders"


def one_order_becomes_another_again(entries: list[Entry]) -> Doctored:
    """Another order of the same topic takes the id of the one before it."""
    before: dict[str, dict[str, Any]] = {}
    for index, entry, value in on(entries, ".dispatch."):
        if value["type"] not in ORDERS:
            continue
        first = before.setdefault(entry.topic, value)
        if first["order_id"] != value["order_id"]:
            again = {**value, "order_id": first["order_id"], "revision": first["revision"]}
            return altered(entries, index, again), entry, "orders"
    raise LookupError("no topic has two orders")


def journal_without_order(entries: list[Entry]) -> Doctored:
    _, journaled, value, number = fact_at(entries, "TeamOrdered")
    order_id = value["facts"][number]["fact"]["order_id"]
    index = next(i for i, _, v in on(entries, ".dispatch.") if v["type"] in ORDERS and v["order_id"] == order_id)
    return [*entries[:index], *entries[index + 1 :]], journaled, "orders"


def order_without_journal(entries: list[Entry]) -> Doctored:
    """The journal record keeps its list of what left, and forgets the fact."""
    index, _entry, value, number = fact_at(entries, "DepartmentWhistled")
    forgotten = value["facts"].pop(number)["fact"]
    order = next(e for _, e, v in on(entries, ".dispatch.") if v.get("order_id") == forgotten["order_id"])
    return altered(entries, index, value), order, "orders"


def letter_without_journal(entries: list[Entry]) -> Doctored:
    """The journal record keeps its facts, and forgets that an order left."""
    _index, order, _value = first_order(entries)
    for index, _entry, value in on(entries, ".hub.journal"):
        kept = [one for one in value.get("sent", ()) if one["message_id"] != order.headers["ce_id"]]
        if len(kept) < len(value.get("sent", ())):
            return altered(entries, index, {**value, "sent": kept}), order, "sent"
    raise LookupError("no journal record sent it")


def outcome_removed(entries: list[Entry]) -> Doctored:
    index, _entry, value, number = fact_at(entries, "MessageRecorded", kind="reply")
    del value["facts"][number]
    origin = value["inbox"]["origin"]
    source = next(e for e in entries if (e.topic, e.offset) == (origin["topic"], origin["offset"]))
    return altered(entries, index, value), source, "outcomes"


def decided_twice(entries: list[Entry]) -> Doctored:
    """A repetition becomes a decision."""
    index, entry, value, number = fact_at(entries, "MessageRepeated")
    _, _, first, first_number = fact_at(entries, "MessageRecorded", message_id=value["inbox"]["message_id"])
    value["facts"][number] = first["facts"][first_number]
    return altered(entries, index, value), entry, "memories"


def position_repeated(entries: list[Entry]) -> Doctored:
    (_, _, before), (index, entry, value) = [
        one for one in on(entries, ".hub.journal") if one[1].partition == 0 and "position" in one[2]
    ][3:5]
    return altered(entries, index, {**value, "position": before["position"]}), entry, "positions"


def two_holders(entries: list[Entry]) -> Doctored:
    """The second team that a township orders is the first one, who is out."""
    index, entry, value, number = fact_at(entries, "TeamOrdered", team="north-militia")
    value["facts"][number]["fact"]["team"] = "north-rescue"
    return altered(entries, index, value), entry, "teams"


def deadline_ended_twice(entries: list[Entry]) -> Doctored:
    """The end of a deadline becomes one more end of the deadline that ended before it."""
    ends = [
        (index, entry, value, number)
        for index, entry, value in on(entries, ".hub.journal")
        for number, staged in enumerate(value.get("facts", ()))
        if staged["fact"]["type"] == "linkage.DeadlineEnded.v0" and entry.partition == 1
    ]
    (_, _, first, first_number), (index, entry, value, number) = ends[0], ends[1]
    value["facts"][number]["fact"]["deadline_id"] = first["facts"][first_number]["fact"]["deadline_id"]
    return altered(entries, index, value), entry, "deadlines"


def deadline_never_set(entries: list[Entry]) -> Doctored:
    index, entry, value, number = fact_at(entries, "DeadlineEnded")
    value["facts"][number]["fact"]["deadline_id"] = "D-0"
    return altered(entries, index, value), entry, "deadlines"


def overdue_too_early(entries: list[Entry]) -> Doctored:
    index, entry, value, _number = fact_at(entries, "DeadlineEnded", outcome="overdue")
    return altered(entries, index, {**value, "now": "2020-01-01T00:00:00Z"}), entry, "deadlines"


def receipt_removed(entries: list[Entry]) -> Doctored:
    index, _receipt, value = next(
        one for one in on(entries, ".dispatch.hotline") if one[2]["type"] == "linkage.IssueReceipt.v0"
    )
    _, journaled, _, _ = fact_at(entries, "MessageRecorded", message_id=value["message_id"], sender="hotline")
    return [*entries[:index], *entries[index + 1 :]], journaled, "receipts"


def receipt_of_another_outcome(entries: list[Entry]) -> Doctored:
    index, entry, value = next(one for one in on(entries, ".dispatch.hotline") if one[2].get("outcome") == "merged")
    return altered(entries, index, {**value, "outcome": "opened"}), entry, "receipts"


def another_log(entries: list[Entry]) -> Doctored:
    index, entry, value, _number = fact_at(entries, "IncidentClosed")
    value["inbox"]["log_id"] = "another"
    return altered(entries, index, value), entry, "identities"


def inbox_record_undecided(entries: list[Entry]) -> Doctored:
    index, journaled, value, _number = fact_at(entries, "CountyTeamPromised")
    letter = next(
        e
        for e in entries
        if e.topic.endswith(".hub.inbox") and (e.partition, e.offset) == (journaled.partition, value["position"])
    )
    return [*entries[:index], *entries[index + 1 :]], letter, "inboxes"


def published_otherwise(entries: list[Entry]) -> Doctored:
    index, entry, value = next(one for one in on(entries, ".assessment"))
    return altered(entries, index, {**value, "index": value["index"] + 1}), entry, "published"


def no_such_field(entries: list[Entry]) -> Doctored:
    index, entry, value = first_order(entries)
    return altered(entries, index, {**value, "colour": "red"}), entry, "values"


DOCTORS: tuple[Callable[[list[Entry]], Doctored], ...] = (
    order_doubled,
    one_order_becomes_another_again,
    journal_without_order,
    order_without_journal,
    letter_without_journal,
    outcome_removed,
    decided_twice,
    position_repeated,
    two_holders,
    deadline_ended_twice,
    deadline_never_set,
    overdue_too_early,
    receipt_removed,
    receipt_of_another_outcome,
    another_log,
    inbox_record_undecided,
    published_otherwise,
    no_such_field,
)


def test_a_real_run_is_clean(real_run: list[Entry], contract: Contract) -> None:
    """County help, silence, declines, a redelivery, refusals, a placed report, a link that both townships propose and
    closing break no rule."""
    between = [value["data"]["type"] for _, _, value in on(real_run, ".hub.inbox") if value["kind"] == "hub"]
    assert "linkage.CompareIncident.v0" in between
    assert between.count("linkage.ProposeLink.v0") == 2, "both townships propose the one link"
    assert [str(one) for one in judge(real_run, contract)] == []


@pytest.mark.parametrize("doctor", DOCTORS, ids=lambda doctor: doctor.__name__)
def test_an_altered_record_is_named(
    real_run: list[Entry], contract: Contract, doctor: Callable[[list[Entry]], Doctored]
) -> None:
    """One record altered in a real run's dump: a violation of the rule that it breaks names the record."""
    entries, wrong, rule = doctor(real_run)
    found = judge(entries, contract)
    named = {(one.rule, one.topic, one.partition, one.offset) for one in found}
    assert (rule, wrong.topic, wrong.partition, wrong.offset) in named, [str(one) for one in found]


def test_the_command_says_how_it_went(
    real_run: list[Entry], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 0 for a clean dump, 1 with the record named for a doctored one, 2 where there is nothing to judge."""
    entries, wrong, _rule = two_holders(real_run)
    for held, status in ((real_run, 0), (entries, 1), ([], 2)):
        dump.write(tmp_path / "dump.jsonl", held)
        monkeypatch.setattr("sys.argv", ["checker", "--from", str(tmp_path / "dump.jsonl")])
        assert command.main() == status
        assert (f"{wrong.topic}/{wrong.partition}/{wrong.offset}" in capsys.readouterr().out) is (status == 1)


def test_what_was_deleted_on_purpose_is_not_asked_for(real_run: list[Entry], contract: Contract) -> None:
    """Without a party's dispatch topic a run is clean only when that topic is named as gone."""
    topic = next(entry.topic for entry in real_run if entry.topic.endswith(".dispatch.health"))
    entries = [entry for entry in real_run if entry.topic != topic]
    assert judge(entries, contract)
    assert [str(one) for one in judge(entries, contract, frozenset({topic}))] == []


def test_the_quick_check_passes_only_what_jsonschema_passes(real_run: list[Entry], contract: Contract) -> None:
    """Every field of one message of each type made wrong in turn: the two never differ, and both refuse some."""
    one_each = {value["type"]: entry for entry in real_run if (value := _object(entry)).get("type")}
    refused = 0
    for entry in one_each.values():
        channel = contract.place(entry.topic).channel
        for wrong in _made_wrong(value_of(entry)):
            quick, slow = contract.verdicts(channel, wrong)
            assert quick == slow, (entry, wrong)
            refused += not slow
    assert refused > len(one_each)


def _object(entry: Entry) -> dict[str, Any]:
    return value_of(entry) if (entry.value or "").startswith("{") else {}


def _made_wrong(value: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for name in {*value, "unheard_of"} - {"type"}:
        yield {key: one for key, one in value.items() if key != name}
        yield from ({**value, name: wrong} for wrong in WRONG)


@pytest.mark.parametrize("path", OF_THE_CHECKER, ids=lambda path: path.name)
def test_the_checker_shares_no_line_with_the_engine(path: Path) -> None:
    """No module of it imports linkage, or anything of the tests but itself."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "." for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    roots = {name.partition(".")[0] for name in imported}
    assert not roots & {"linkage", "aiokafka", "importlib", ""}, imported
    assert all(name.startswith("tests.checker") for name in imported if name.startswith("tests"))
