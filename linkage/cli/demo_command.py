"""`linkage demo`: the main job, on a real Kafka that it starts itself."""

from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from linkage.cli.options import DIFFERENCE, ZONE_DEFAULT, Shared, ZoneOption, kafka_command
from linkage.cli.show import print_json


def add(app: typer.Typer) -> None:
    app.command("demo")(kafka_command(demo_command))


def demo_command(
    shared: Shared,
    seed: Annotated[int, typer.Option(help="Spreads the answers; order ids and outcome do not depend on it.")] = 1,
    kill_at: Annotated[int, typer.Option(min=0, max=10, help="At which of ten steps a worker dies; 0: none.")] = 5,
    keep: Annotated[bool, typer.Option("--keep", help="Leave everything running and say what to type next.")] = False,
    on_cluster: Annotated[
        bool, typer.Option("--on-cluster", help="Use the cluster of --bootstrap-servers and an empty --namespace.")
    ] = False,
    time_zone: ZoneOption = ZONE_DEFAULT,
) -> None:
    """A landslide near a village: whistle, report-in, teams, the county's help, and one worker killed. 演示"""
    import sys

    from rich.console import Console

    from linkage.demo.run import Plan, play
    from linkage.demo.screen import Screen

    console = Console(file=sys.stderr if shared.as_json else sys.stdout, soft_wrap=True)
    plan = Plan(seed, kill_at, keep, shared.settings if on_cluster else None, shared.settings.namespace)
    played = play(plan, Screen(console, ZoneInfo(time_zone)))
    if shared.as_json:
        print_json({"outcome": played.outcome, "exit_codes": played.exit_codes})
    if not played.is_clean:
        raise typer.Exit(DIFFERENCE)
