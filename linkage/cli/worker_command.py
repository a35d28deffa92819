"""`linkage worker`: one worker process."""

from typing import Annotated, Literal

import typer

from linkage.cli.options import Shared, kafka_command

LogLevel = Literal["debug", "info", "warning"]


def add(app: typer.Typer) -> None:
    app.command("worker")(kafka_command(worker_command))


def worker_command(
    shared: Shared,
    web_port: Annotated[int, typer.Option(help="Of /healthz, /readyz, /metrics on loopback. 0: a free one.")] = 0,
    session_timeout_ms: Annotated[
        int, typer.Option(min=1_000, help="A worker not heard of for so long is taken for dead.")
    ] = 6_000,
    log_level: Annotated[
        LogLevel, typer.Option(help="debug: one line for each step, too, with its facts, messages and milliseconds.")
    ] = "info",
) -> None:
    """Runs a worker: takes hub partitions over, decides, commits. SIGTERM hands over. Logs on stderr. 运行"""
    from linkage.settings import WorkerSettings
    from linkage.worker.app import run

    told = shared.settings.model_dump()
    settings = WorkerSettings(
        **told,
        web_port=web_port,
        session_timeout_ms=session_timeout_ms,
        heartbeat_interval_ms=max(300, session_timeout_ms // 6),
        log_json=shared.as_json,
        log_level=log_level,
    )
    run(settings)
