"""The command line. Each command imports what it needs when it runs, so that `linkage --help` is quick.

What registers itself here is a function that takes the app: `add(app)`. Commands of users and of the county come first;
SUB_APPS below is where operators' commands (watch, worker, replay, audit, journal, demo) are added.
"""

from collections.abc import Callable

import typer

from linkage.cli import (
    audit_command,
    county_commands,
    demo_command,
    import_command,
    kafka_commands,
    party_commands,
    post_commands,
    publish_command,
    replay_commands,
    schema_commands,
    seed_commands,
    simulate_commands,
    topic_commands,
    watch_command,
    worker_command,
)
from linkage.cli.options import DIFFERENCE, UNREACHABLE
from linkage.cli.show import print_problem
from linkage.errors import LinkageError

SUB_APPS: tuple[Callable[[typer.Typer], None], ...] = (
    publish_command.add,
    party_commands.add,
    post_commands.add,
    topic_commands.add,
    county_commands.add,
    import_command.add,
    kafka_commands.add,
    schema_commands.add,
    worker_command.add,
    watch_command.add,
    replay_commands.add,
    audit_command.add,
    simulate_commands.add,
    seed_commands.add,
    demo_command.add,
)

app = typer.Typer(
    name="linkage",
    help="A county's incident linkage: townships blow the whistle, departments report in. 乡镇吹哨、部门报到",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
for add in SUB_APPS:
    add(app)


@app.callback()
def linkage() -> None:
    """Exit codes: 0 ok; 1 a difference, a refusal or no answer; 2 wrong usage; 3 Kafka cannot be reached."""


def main() -> None:
    """The entry point: errors of ours become one message on stderr and an exit code, never a traceback."""
    _quiet_libraries()
    try:
        app()
    except LinkageError as error:
        print_problem(f"error: {error}")
        raise SystemExit(_exit_code(error)) from None
    except Exception as error:
        reason = _unreachable_reason(error)
        if reason is None:
            raise
        print_problem(f"error: {reason}")
        raise SystemExit(UNREACHABLE) from None


def _exit_code(error: LinkageError) -> int:
    from aiokafka.errors import KafkaConnectionError

    from linkage.client.errors import KafkaUnreachable

    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, KafkaConnectionError | KafkaUnreachable):
            return UNREACHABLE
        cause = cause.__cause__
    return DIFFERENCE


def _unreachable_reason(error: Exception) -> str | None:
    from aiokafka.errors import KafkaConnectionError

    from linkage.client.errors import unreachable

    return str(unreachable("the given address", str(error))) if isinstance(error, KafkaConnectionError) else None


def _quiet_libraries() -> None:
    """aiokafka logs what our errors say already; its log goes to nobody unless a command asks for it."""
    import logging

    log = logging.getLogger("aiokafka")
    log.addHandler(logging.NullHandler())
    log.propagate = False
