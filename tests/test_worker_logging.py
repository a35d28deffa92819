"""A worker's log stays readable while Kafka is away: its libraries' sentences are not written thousands of times."""

import logging
import logging.config

import pytest

from linkage.worker.logging import KNOWN_LIMIT_COUNT, LIBRARY_LOGGING, SAME_AGAIN_S, SameSeldom


def _record(words: str, at_s: float, *arguments: object) -> logging.LogRecord:
    record = logging.LogRecord("aiokafka", logging.ERROR, __file__, 1, words, arguments, None)
    record.created = at_s
    return record


def _let_through(*records: logging.LogRecord) -> list[str]:
    seldom = SameSeldom()
    return [record.getMessage() for record in records if seldom.filter(record)]


def test_the_same_words_are_written_once_and_then_counted() -> None:
    """Given a sentence said each second, then it is written each ten seconds, with how often it was left out."""
    said = [_record("no way to node %s", at_s, 3) for at_s in range(2 * SAME_AGAIN_S + 1)]
    again = f"no way to node 3 (and {SAME_AGAIN_S - 1} times more in between)"
    assert _let_through(*said) == ["no way to node 3", again, again]


def test_other_words_are_not_left_out() -> None:
    said = [_record("no way to node %s", 1.0, node) for node in (1, 2, 1, 3)]
    assert _let_through(*said) == ["no way to node 1", "no way to node 2", "no way to node 3"]


def test_percent_signs_in_what_was_said_stay_what_they_are() -> None:
    said = [_record("%s", at_s, "50% of 2") for at_s in (0.0, 1.0, float(SAME_AGAIN_S))]
    assert _let_through(*said)[-1] == "50% of 2 (and 1 times more in between)"


def test_what_is_remembered_has_a_limit() -> None:
    seldom = SameSeldom()
    for number in range(3 * KNOWN_LIMIT_COUNT):
        assert seldom.filter(_record(f"sentence {number}", 1.0))
    assert len(seldom._written) <= KNOWN_LIMIT_COUNT


def test_a_worker_logs_its_libraries_that_way(capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    before = root.handlers[:], root.level
    try:
        logging.config.dictConfig(LIBRARY_LOGGING)
        for _ in range(5):
            logging.getLogger("aiokafka").error("Unable connect to node with id %s", 3)
        logging.getLogger("aiokafka").error("Unable connect to node with id %s", 1)
    finally:
        root.handlers[:], root.level = before
    assert capsys.readouterr().err.count("Unable connect to node") == 2
