"""Structured logs: one line for each event, JSON in production. Never personal data, never secrets."""

import logging
import sys
from typing import Any

import structlog

LIBRARY_LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(asctime)s %(name)s %(levelname)s %(message)s"}},
    "filters": {"seldom": {"()": "linkage.worker.logging.SameSeldom"}},
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "stream": "ext://sys.stderr",
            "formatter": "plain",
            "filters": ["seldom"],
        }
    },
    "root": {"level": "WARNING", "handlers": ["stderr"]},
}
"""What faust, mode and aiokafka have to say, from warnings up; the same sentence seldom."""

SAME_AGAIN_S = 10
"""How long a library's sentence is not written again: with Kafka away aiokafka said one 6,700 times in a minute."""
KNOWN_LIMIT_COUNT = 1_000
"""So many different sentences are remembered; then all are forgotten, and what comes again is written once more."""


class SameSeldom(logging.Filter):
    """Lets the same words of the same logger through once in SAME_AGAIN_S, then with how many were left out."""

    def __init__(self) -> None:
        super().__init__()
        self._written: dict[tuple[str, str], tuple[float, int]] = {}
        """(logger, words) -> (when last, how many left out since)."""

    def filter(self, record: logging.LogRecord) -> bool:
        said = (record.name, record.getMessage())
        at_s, left_out = self._written.get(said, (None, 0))
        if at_s is not None and record.created - at_s < SAME_AGAIN_S:
            self._written[said] = at_s, left_out + 1
            return False
        if len(self._written) >= KNOWN_LIMIT_COUNT:
            self._written.clear()
        self._written[said] = record.created, 0
        if left_out:
            record.msg, record.args = f"{said[1]} (and {left_out} times more in between)", None
        return True


def configure_logging(*, json: bool, level: int = logging.INFO) -> None:
    """Sends every structlog event of at least this level to standard error."""
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False) if json else structlog.dev.ConsoleRenderer(colors=False)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
