"""`linkage kafka start|stop|status`: a real Apache Kafka on this machine."""

import os
from pathlib import Path
from typing import Annotated

import typer

from linkage.cli.options import DIFFERENCE, JsonOption
from linkage.cli.show import print_json, print_line, print_problem

PORT_DEFAULT = 9092
"""So that every other command finds it without being told."""

DataOption = Annotated[
    Path | None, typer.Option("--data", help="Where records are kept between starts (LINKAGE_KAFKA_DATA).")
]


def add(app: typer.Typer) -> None:
    kafka = typer.Typer(help="A real Apache Kafka on this machine, on loopback only. 本机 Kafka", no_args_is_help=True)
    kafka.command("start")(start_command)
    kafka.command("stop")(stop_command)
    kafka.command("status")(status_command)
    app.add_typer(kafka, name="kafka")


def start_command(
    data: DataOption = None,
    brokers: Annotated[int, typer.Option(help="1, or 3 with replication.")] = 1,
    port: Annotated[int, typer.Option(help="The first broker's port; 0: a free one.")] = PORT_DEFAULT,
    as_json: JsonOption = False,
) -> None:
    """Starts it and returns once it answers. The first time its jars are fetched, about 20 s. 启动"""
    from linkage.local_kafka import KafkaSpec, start

    try:
        spec = KafkaSpec(_folder(data), brokers=brokers, first_port=port or None)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    running = start(spec, print_problem)
    if as_json:
        print_json(
            {
                "bootstrap_servers": running.bootstrap_servers,
                "data": str(running.data_dir),
                "brokers": len(running.node_ids),
            }
        )
    else:
        print_line(f"Kafka runs at {running.bootstrap_servers} (data in {running.data_dir})")


def stop_command(data: DataOption = None, as_json: JsonOption = False) -> None:
    """Stops it; the data stays. 停止"""
    from linkage.local_kafka import stop

    folder = _folder(data)
    stop(folder)
    if as_json:
        print_json({"stopped": True, "data": str(folder)})
    else:
        print_line(f"Kafka is stopped (data stays in {folder})")


def status_command(data: DataOption = None, as_json: JsonOption = False) -> None:
    """What runs; exit code 1 when nothing does. 状态"""
    from linkage.local_kafka import status

    found = status(_folder(data))
    if as_json:
        brokers = [
            {
                "node_id": broker.node_id,
                "port": broker.port,
                "state": broker.state,
                "pid": broker.pid,
                "resident_mib": broker.resident_mib,
                "log": str(broker.log_file),
            }
            for broker in found.brokers
        ]
        print_json({"bootstrap_servers": found.bootstrap_servers, "data": str(found.data_dir), "brokers": brokers})
    else:
        for broker in found.brokers:
            held = f", {broker.resident_mib} MiB" if broker.resident_mib is not None else ""
            print_line(f"broker {broker.node_id}  port {broker.port}  {broker.state}{held}  log {broker.log_file}")
        if not found.brokers:
            print_line(f"no Kafka was ever started in {found.data_dir}; start one with `linkage kafka start`")
    if not found.running:
        raise typer.Exit(DIFFERENCE)


def _folder(data: Path | None) -> Path:
    told = os.environ.get("LINKAGE_KAFKA_DATA")
    if data is not None:
        return data
    if told:
        return Path(told)
    home = os.environ.get("XDG_DATA_HOME")
    return (Path(home) if home else Path.home() / ".local" / "share") / "linkage" / "kafka"
