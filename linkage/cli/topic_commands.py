"""`linkage topics apply`: makes and checks the topics of a county."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from linkage.cli.options import DIFFERENCE, Shared, kafka_command
from linkage.cli.show import print_json, print_line

if TYPE_CHECKING:
    from linkage.settings import KafkaSettings
    from linkage.worker.topic_admin import TopicReport, Wanted

REPLICATION_WANTED = 3
MIN_INSYNC_REPLICATED = 2

CountyOption = Annotated[Path, typer.Option("--county", help="The county's folder.")]


def add(app: typer.Typer) -> None:
    topics = typer.Typer(help="The topics of a county. 主题", no_args_is_help=True)
    topics.callback()(_topics)
    topics.command("apply")(kafka_command(apply_command))
    app.add_typer(topics, name="topics")


def _topics() -> None:
    """The topics of a county. 主题"""


def apply_command(
    shared: Shared,
    county: CountyOption,
    partitions: Annotated[
        int | None, typer.Option(min=1, help="Of inbox, journal and lease: 12 unless told; never changed later.")
    ] = None,
    replication: Annotated[int | None, typer.Option(min=1, help="3 where there are 3 brokers, else 1.")] = None,
    alter: Annotated[bool, typer.Option("--alter", help="Set what differs as the topic table says.")] = False,
) -> None:
    """Makes what is missing, says what differs, gives each journal its log identity. Run it before workers start."""
    from linkage.county import load_county

    loaded = load_county(county)
    wanted = shared.settings.topics.of_parties(loaded.sources, loaded.parties, loaded.posts)
    report, identities = asyncio.run(_apply(shared.settings, wanted, partitions, replication, alter))
    _show(shared, report, identities)
    if report.differences:
        raise typer.Exit(DIFFERENCE)


async def _apply(
    settings: "KafkaSettings", wanted: "Wanted", partitions: int | None, replication: int | None, alter: bool
) -> "tuple[TopicReport, dict[int, str]]":
    from linkage.client.connection import brokers_count, partitions_by_topic
    from linkage.topics import PARTITIONS_DEFAULT_COUNT
    from linkage.worker.kafka_log import KafkaLog
    from linkage.worker.topic_admin import apply, known_partitions, write_log_identities

    brokers = await brokers_count(settings)
    copies = replication or (REPLICATION_WANTED if brokers >= REPLICATION_WANTED else 1)
    min_insync = MIN_INSYNC_REPLICATED if copies >= REPLICATION_WANTED else 1
    known = (await partitions_by_topic(settings)).get(settings.topics.inbox, PARTITIONS_DEFAULT_COUNT)
    report = await apply(settings, wanted, partitions or known, copies, min_insync, alter=alter)
    log = KafkaLog(settings)
    try:
        found = await known_partitions(log, settings.topics.journal, partitions or known)
        return report, await write_log_identities(log, settings.topics, found)
    finally:
        await log.close()


def _show(shared: Shared, report: "TopicReport", identities: dict[int, str]) -> None:
    if shared.as_json:
        print_json(
            {
                "created": report.created,
                "altered": report.altered,
                "differences": report.differences,
                "log_identities": {str(partition): log_id for partition, log_id in sorted(identities.items())},
            }
        )
        return
    for line in report.differences:
        print_line(f"differs  {line}")
    for name in report.altered:
        print_line(f"altered  {name}")
    print_line(
        f"{len(report.created)} topics created 新建, {len(report.altered)} altered, {len(report.differences)} "
        f"differences; {len(identities)} journal partitions have their identity"
    )
