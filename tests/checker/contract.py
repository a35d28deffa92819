"""The public contract as it is shipped: which topic carries which messages, and what each must look like."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import jsonschema
import yaml
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from tests.checker.shapes import Shapes, is_instant

SCHEMAS = Path(__file__).parents[2] / "schemas"
BASE = "https://contract.invalid/"
"""Where relative references of the document start; nothing is fetched."""
ASYNCAPI = f"{BASE}asyncapi.yaml"
NAMESPACE = "linkage"
"""The one that the addresses of the document are written with."""

SENT_BY_PARTIES = ("report", "reply", "command")
"""Anybody may have written anything there: only what was acted on must be what the contract says."""


@dataclass(frozen=True, slots=True)
class Place:
    """What a topic's name says: the channel of the document, and whose topic it is (`party`) if it is somebody's."""

    channel: str
    party: str | None


class Contract:
    """`schemas/` read once."""

    def __init__(self, folder: Path = SCHEMAS) -> None:
        document = yaml.load((folder / "asyncapi.yaml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        self._channels = document["channels"]
        self._addresses = [(_pattern(one["address"]), name) for name, one in self._channels.items()]
        self._messages = document["components"]["messages"]
        registry = Registry().with_resource(ASYNCAPI, DRAFT202012.create_resource(document))
        for path in folder.glob("*.json"):
            schema = DRAFT202012.create_resource(json.loads(path.read_text(encoding="utf-8")))
            registry = registry.with_resources([(BASE + path.name, schema), (schema.id(), schema)])
        self._registry = registry
        self._shapes = Shapes(self._find)

    def place(self, topic: str) -> Place | None:
        """None: the contract has no such topic. The namespace is what stands before the first dot."""
        _namespace, _, rest = topic.partition(".")
        for pattern, channel in self._addresses:
            if found := pattern.fullmatch(rest):
                return Place(channel, found.groupdict().get("party"))
        return None

    def faults(self, channel: str, headers: Mapping[str, str], value: Any) -> Iterator[str]:
        """What is wrong with a message on a channel, most telling first; nothing when it is as it must be."""
        names = [name for name in self._channels[channel]["messages"] if self._type(name) == _type_of(value)]
        if len(names) != 1:
            yield f"{_type_of(value)} is no message of channel {channel}"
            return
        yield from self._wrong(f"{names[0]}/payload", value)
        if "headers" in self._messages[names[0]]:
            yield from self._wrong(f"{names[0]}/headers", headers)

    def verdicts(self, channel: str, value: Any) -> tuple[bool, bool]:
        """Is a message of a channel valid, as (the quick check, jsonschema) say. For the test that holds them equal."""
        name = next(name for name in self._channels[channel]["messages"] if self._type(name) == _type_of(value))
        reference = f"#/components/messages/{name}/payload"
        return self._shapes.at(ASYNCAPI, reference)(value), self._validator(reference).is_valid(value)

    def _type(self, message: str) -> str:
        return self._messages[message]["name"]

    def _wrong(self, pointer: str, value: Any) -> Iterator[str]:
        reference = f"#/components/messages/{pointer}"
        if self._shapes.at(ASYNCAPI, reference)(value):
            return
        for error in self._validator(reference).iter_errors(value):
            best = jsonschema.exceptions.best_match([error])
            yield f"{best.json_path}: {best.message[:300]}"

    def _validator(self, reference: str) -> jsonschema.Draft202012Validator:
        schema = {"$ref": ASYNCAPI + reference}
        return jsonschema.Draft202012Validator(schema, registry=self._registry, format_checker=_FORMATS)

    def _find(self, base: str, reference: str) -> tuple[str, Any]:
        found = self._registry.resolver(base).lookup(reference)
        uri, _, _pointer = reference.partition("#")
        return (urljoin(base, uri) if uri else base), found.contents


def _pattern(address: str) -> re.Pattern[str]:
    stem = re.escape(address.removeprefix(f"{NAMESPACE}."))
    return re.compile(re.sub(r"\\\{\w+\\\}", "(?P<party>[a-z0-9][a-z0-9_-]*)", stem))


def _type_of(value: Any) -> Any:
    return value.get("type") if isinstance(value, dict) else None


_FORMATS = jsonschema.FormatChecker(formats=())
_FORMATS.checks("date-time")(is_instant)
