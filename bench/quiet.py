"""Logs and garbage collection as `linkage worker` has them: step logs are off the hot path, warnings are shown."""

import logging

import structlog

from linkage.worker.collection import collect_rarely


def quiet() -> None:
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING), cache_logger_on_first_use=True
    )
    logging.getLogger("aiokafka").setLevel(logging.ERROR)
    collect_rarely()
