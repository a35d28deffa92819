"""`linkage audit`: what must always hold, on a journal file, or on the cluster against the parties' topics, too."""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from linkage.cli.journal_source import Cluster, noting, opened_cluster
from linkage.cli.options import DIFFERENCE, Shared, kafka_command
from linkage.cli.replay_commands import FileArgument, as_json
from linkage.cli.show import print_json, print_line

if TYPE_CHECKING:
    from linkage.replay.audit import Audit, AuditResult
    from linkage.replay.journal import Progress
    from linkage.runtime.ports import TopicPartition

SETTLE_LIMIT_S = 15.0
LOOK_AGAIN_S = 0.5
SHOWN_LIMIT_VIOLATIONS = 20


def add(app: typer.Typer) -> None:
    app.command("audit")(kafka_command(audit_command))


def audit_command(
    shared: Shared,
    file: FileArgument = None,
    settle_limit_s: Annotated[
        float, typer.Option(min=0, help="On the cluster: seconds for records on their way to arrive.")
    ] = SETTLE_LIMIT_S,
    gone: Annotated[
        list[str] | None,
        typer.Option(help="A dispatch topic that was deleted: what was sent there is not asked for. Repeatable."),
    ] = None,
) -> None:
    """Nothing lost, nothing doubled, every deadline ended once. Exit 1 and the first violations. 审计"""
    from linkage.replay.audit import audit
    from linkage.replay.journal import read_file

    started = time.perf_counter()
    if file is not None:
        result = audit(read_file(file), None, noting("audit"))
    else:
        with opened_cluster(shared.settings) as cluster:
            result = audit_cluster(cluster, settle_limit_s, noting("audit"), frozenset(gone or ()))
    took_s = time.perf_counter() - started
    if shared.as_json:
        print_json({**as_json(result), "is_clean": result.is_clean, "took_s": round(took_s, 3)})
    else:
        _show(result, took_s)
    if not result.is_clean:
        raise typer.Exit(DIFFERENCE)


def audit_cluster(
    cluster: Cluster, settle_limit_s: float, progress: "Progress", gone: frozenset[str] = frozenset()
) -> "AuditResult":
    """Reads everything to its end, then what came meanwhile, until whatever was on its way at first has arrived."""
    from linkage.replay.audit import Audit

    session = Audit(with_topics=True, gone=gone)
    following = _Following(cluster, session, progress)
    give_up = time.monotonic() + settle_limit_s
    following.catch_up()
    result = session.result()
    while result.may_settle and not result.is_clean and time.monotonic() < give_up:
        time.sleep(LOOK_AGAIN_S)
        following.catch_up()
        result = session.result().still(result)
    return result


class _Following:
    """Reads the journal and the parties' topics from where it was to where they end: the topics' ends come first."""

    def __init__(self, cluster: Cluster, session: "Audit", progress: "Progress") -> None:
        self._cluster = cluster
        self._session = session
        self._progress = progress
        self._positions: dict[TopicPartition, int] = {}
        self._journal = cluster.journal_partitions()

    def catch_up(self) -> None:
        from linkage.replay.cluster import raw_entries
        from linkage.replay.journal import decode

        topics, session = self._cluster.settings.topics, self._session
        names = self._cluster.names
        sources = self._cluster.partitions_of([name for name in names if topics.inbound_of(name)])
        dispatch = self._cluster.partitions_of([name for name in names if name.startswith(topics.dispatch(""))])
        wanted = [*sources, *dispatch, *self._journal]
        new = [at for at in wanted if at not in self._positions]
        self._positions.update(self._cluster.begins(new))
        first_ends = self._cluster.ends([*sources, *dispatch])
        ends = {**first_ends, **self._cluster.ends(self._journal)}
        for at in sources:
            session.sources.take_span(at.topic, at.partition, self._positions[at], ends[at])
        for record in self._cluster.records(*self._spans(sources, ends)):
            session.take_source(record)
        for record in self._cluster.records(*self._spans(dispatch, ends)):
            session.take_dispatch(record)
        for record in self._cluster.records(*self._spans(self._journal, ends)):
            for raw in raw_entries([record]):
                session.take(decode(raw))
            self._progress(session.records)
        self._positions.update(ends)

    def _spans(
        self, partitions: "list[TopicPartition]", ends: "dict[TopicPartition, int]"
    ) -> "tuple[dict[TopicPartition, int], dict[TopicPartition, int]]":
        return {at: self._positions[at] for at in partitions}, {at: ends[at] for at in partitions}


def _show(result: "AuditResult", took_s: float) -> None:
    word = "ok" if result.is_clean else f"NOT OK 不符, {result.violations_count} violations"
    print_line(
        f"audit: {result.source_records} source records, {result.outcomes} outcomes; {result.orders} orders, "
        f"{_once(result, 'each order once', 'orders in dispatch topics')}; {result.teams} teams, "
        f"{_never(result)}; {result.deadlines_ended} deadlines, {_once(result, 'each deadline ends once')}, "
        f"{result.deadlines_open} open · {word}"
    )
    if not result.with_topics:
        print_line("the journal's side only: whether every source record arrived and every order stands on its topic")
        print_line("is seen on the cluster (linkage audit without a file). 仅核对日志")
    for line in _violations(result):
        print_line(line)
    per_record_us = took_s / max(1, result.records) * 1e6
    print_line(f"{result.records} journal records in {took_s:.2f} s, {per_record_us:.0f} µs a record")


def _once(result: "AuditResult", *checks: str) -> str:
    broken = sum(one.check in checks for one in result.violations)
    word = "each ended once" if checks[0].startswith("each deadline") else "each once"
    return f"{broken} of them not once" if broken else word


def _never(result: "AuditResult") -> str:
    broken = sum(one.check == "one holder" for one in result.violations)
    return f"two holders {broken} times" if broken else "never two holders"


def _violations(result: "AuditResult") -> Iterator[str]:
    for one in result.violations[:SHOWN_LIMIT_VIOLATIONS]:
        yield f"violated: {one.check} (invariant {one.invariant}) at {one.where}: {one.text}"
    if result.violations_count > SHOWN_LIMIT_VIOLATIONS:
        yield f"... and {result.violations_count - SHOWN_LIMIT_VIOLATIONS} more"
