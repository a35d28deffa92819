"""`/healthz`, `/readyz`, `/metrics`: for each partition, whether it makes progress against its inbox's end."""

from collections.abc import Iterator
from typing import Any

import faust
from aiohttp import web as aiohttp_web
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from linkage.runtime.progress import Progress
from linkage.worker.leases import Leases

GAUGES = {
    "next_offset": "the next offset this loop will do",
    "end_offset": "the end of what this loop reads",
}
COUNTERS = {
    "done": "records done since the process began",
    "fenced": "times another worker took the partition over from here",
    "taken_over": "times this worker took the partition over",
}


class ProgressCollector:
    """The loops' progress as Prometheus metrics, read when asked."""

    def __init__(self, leases: Leases) -> None:
        self.leases = leases

    def collect(self) -> Iterator[Metric]:
        member = self.leases.member
        progresses = member.progresses() if member else []
        for name, text in GAUGES.items():
            gauge = GaugeMetricFamily(f"linkage_{name}", text, labels=["loop"])
            for one in progresses:
                gauge.add_metric([one.name], getattr(one, name))
            yield gauge
        for name, text in COUNTERS.items():
            counter = CounterMetricFamily(f"linkage_{name}", text, labels=["loop"])
            for one in progresses:
                before = getattr(member.counted(one.name), name) if member else 0
                counter.add_metric([one.name], before + getattr(one, name))
            yield counter
        yield CounterMetricFamily(
            "linkage_restarts", "stalled loops begun anew", value=member.restarts if member else 0
        )


def told(one: Progress, now_ms: int, limit_ms: int, told_ms: int) -> dict[str, Any]:
    """One loop as JSON."""
    return {
        "loop": one.name,
        "phase": one.phase,
        "next_offset": one.next_offset,
        "end_offset": one.end_offset,
        "behind": max(0, one.end_offset - one.next_offset),
        "is_stalled": one.is_told_as_stalled(now_ms, limit_ms, told_ms),
        "detail": one.detail,
    }


def add_pages(app: faust.App, leases: Leases) -> None:
    """The three pages of a worker."""
    registry = CollectorRegistry()
    registry.register(ProgressCollector(leases))

    @app.page("/healthz")
    async def healthz(_view: Any, _request: Any) -> Any:
        now_ms, limit_ms = leases.time.monotonic_ms(), leases.settings.stall_limit_ms
        member, told_ms = leases.member, leases.settings.stall_told_ms
        loops = [told(one, now_ms, limit_ms, told_ms) for one in (member.progresses() if member else [])]
        is_healthy = not any(loop["is_stalled"] or loop["phase"] == "refused" for loop in loops)
        return aiohttp_web.json_response(
            {"healthy": is_healthy, "stall_limit_ms": limit_ms, "loops": loops}, status=200 if is_healthy else 503
        )

    @app.page("/readyz")
    async def readyz(_view: Any, _request: Any) -> Any:
        member = leases.member
        is_ready = member is not None and member.is_ready
        body = {"ready": is_ready, "assigned": sorted(member.assigned) if member else []}
        return aiohttp_web.json_response(body, status=200 if is_ready else 503)

    @app.page("/metrics")
    async def metrics(_view: Any, _request: Any) -> Any:
        return aiohttp_web.Response(body=generate_latest(registry), content_type="text/plain")
