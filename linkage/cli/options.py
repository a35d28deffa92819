"""What every command shares: how to reach the cluster, JSON for machines, exit codes, instants as people type them."""

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Concatenate, ParamSpec, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

if TYPE_CHECKING:
    from linkage.settings import KafkaSettings

OK = 0
DIFFERENCE = 1
"""A difference was found, or something was refused or not answered."""
USAGE = 2
UNREACHABLE = 3

CLUSTER = "Cluster"
JsonOption = Annotated[bool, typer.Option("--json", help="JSON lines on stdout, for machines.")]
ZoneOption = Annotated[str, typer.Option("--time-zone", envvar="LINKAGE_TIME_ZONE", help="In which times are shown.")]
ZONE_DEFAULT = "Asia/Shanghai"

Parameters = ParamSpec("Parameters")
Returned = TypeVar("Returned")


@dataclass(frozen=True, slots=True)
class Shared:
    """The shared options of one command."""

    settings: "KafkaSettings"
    as_json: bool


def _cluster(*names: str, text: str) -> Any:
    return typer.Option(*names, help=text, rich_help_panel=CLUSTER, show_default=False)


_SHARED: dict[str, Any] = {
    "bootstrap_servers": Annotated[
        str | None,
        _cluster("--bootstrap-servers", text="host:port of the brokers (LINKAGE_BOOTSTRAP_SERVERS; 127.0.0.1:9092)."),
    ],
    "namespace": Annotated[
        str | None, _cluster("--namespace", text="Prefix of every topic (LINKAGE_NAMESPACE; linkage).")
    ],
    "security_protocol": Annotated[
        str | None, _cluster("--security-protocol", text="PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL.")
    ],
    "sasl_mechanism": Annotated[str | None, _cluster("--sasl-mechanism", text="SCRAM-SHA-512 unless told.")],
    "sasl_username": Annotated[str | None, _cluster("--sasl-username", text="LINKAGE_SASL_USERNAME.")],
    "sasl_password_file": Annotated[
        Path | None,
        _cluster("--sasl-password-file", text="A file that holds the password (or LINKAGE_SASL_PASSWORD)."),
    ],
    "ssl_cafile": Annotated[str | None, _cluster("--ssl-cafile", text="PEM file of the cluster's CA.")],
}


def kafka_command(
    command: Callable[Concatenate[Shared, Parameters], Returned],
) -> Callable[..., Returned]:
    """Gives a command the shared options; it gets them as its first argument."""
    own = list(inspect.signature(command).parameters.values())[1:]
    keyword = inspect.Parameter.KEYWORD_ONLY
    named = {**_SHARED, "as_json": JsonOption}
    added = [
        inspect.Parameter(name, keyword, default=False if name == "as_json" else None, annotation=annotation)
        for name, annotation in named.items()
    ]

    @functools.wraps(command)
    def run(**arguments: Any) -> Returned:
        cluster = {name: arguments.pop(name) for name in _SHARED}
        shared = Shared(settings_from(**cluster), arguments.pop("as_json"))
        return command(shared, **arguments)  # type: ignore[call-arg]

    parameters = [parameter.replace(kind=keyword) for parameter in own] + added
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run


def settings_from(sasl_password_file: Path | None = None, **told: str | None) -> "KafkaSettings":
    """Settings from the environment, with what was told on the command line above it. Raises typer.BadParameter."""
    from pydantic import ValidationError

    from linkage.settings import KafkaSettings

    chosen: dict[str, Any] = {name: item for name, item in told.items() if item is not None}
    if sasl_password_file is not None:
        try:
            chosen["sasl_password"] = sasl_password_file.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise typer.BadParameter(f"--sasl-password-file: {error}") from error
    try:
        return KafkaSettings(**chosen)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = str(first["loc"][0])
        raise typer.BadParameter(f"--{name.replace('_', '-')} (or LINKAGE_{name.upper()}): {first['msg']}") from error


def zone_of(name: str) -> ZoneInfo:
    """Raises typer.BadParameter for a zone that the tz database does not have."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise typer.BadParameter(f"--time-zone: {name!r} is no time zone; write it as in Asia/Shanghai") from error


def now_in(zone: ZoneInfo) -> datetime:
    """What the wall clock says: for what a person types and for showing, never for a decision."""
    return datetime.now(zone)  # noqa: TID251  the command line is where a real clock is looked at


def instant_typed(text: str, option: str, zone: ZoneInfo, now: datetime) -> datetime:
    """An instant as people type it: `now`, `+25m` (from now, whole minutes), `02:31` (the last one past in `zone`), or
    RFC 3339 with its offset. Raises typer.BadParameter."""
    local = now.astimezone(zone)
    if text == "now":
        return local
    if text.startswith("+") and text.endswith("m") and text[1:-1].isdigit():
        return local.replace(second=0, microsecond=0) + timedelta(minutes=int(text[1:-1]))
    remedy = "write 02:31, +25m, now or 2026-11-23T02:31:00+08:00"
    try:
        if len(text) in (4, 5) and ":" in text:
            hour, minute = (int(part) for part in text.split(":"))
            said = local.replace(hour=hour, minute=minute, second=0, microsecond=0)
            return said if said <= local else said - timedelta(days=1)
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{option}: {text!r} is no time; {remedy}") from error
    if at.tzinfo is None:
        raise typer.BadParameter(f"{option}: {text!r} has no offset from UTC; {remedy}")
    return at
