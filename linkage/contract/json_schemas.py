"""A JSON Schema (2020-12) for each message type, complete in itself: every `$ref` points into the same file.

What is generated is what readers of ours accept: a field with a default may be missing, a name that is not listed may
not appear. `discriminator` is left out (it is OpenAPI's, not JSON Schema's): the constant `type` tells them apart.
"""

import ast
import inspect
import json
from functools import cache
from importlib import import_module
from itertools import pairwise
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from linkage.contract.channels import Message, members
from linkage.events import envelope
from linkage.events.outbound import RejectRecord
from linkage.events.reference import RegisterParty

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_TYPE_BY_HEADER = frozenset(members(envelope.PartyMessage))
"""What parties send says its type in `ce_type`; repeating it in the data is optional, there and only there."""

_READING_ORDER = ("$schema", "$id", "title", "description", "type", "properties", "required", "additionalProperties")


def _messages() -> tuple[Message, ...]:
    unions = (envelope.PartyMessage, envelope.InboxData, envelope.PartyBound, envelope.HubMessage, envelope.Fact)
    records = (
        envelope.InboxRecord,
        envelope.JournalRecord,
        envelope.LogIdentity,
        envelope.PublishedFact,
        RegisterParty,
        RejectRecord,
    )
    found: set[Message] = {*(message for union in unions for message in members(union)), *records}
    return tuple(sorted(found, key=file_name))


def type_name(message: Message) -> str:
    """What `ce_type` says: `linkage.ReportIncident.v0`."""
    return str(message.model_fields["type"].default)


def file_name(message: Message) -> str:
    """`ReportIncident.v0.json`"""
    return type_name(message).removeprefix("linkage.") + ".json"


def schema(message: Message) -> dict[str, Any]:
    """The schema of one message type; descriptions are the docstrings of types and fields."""
    generated = message.model_json_schema(schema_generator=_Generator, mode="validation")
    if message in _TYPE_BY_HEADER:
        generated["required"] = [name for name in generated["required"] if name != "type"]
    identifier = f"urn:linkage:schema:{file_name(message).removesuffix('.json')}"
    whole = {"$schema": DIALECT, "$id": identifier, **generated}
    return {name: whole[name] for name in _READING_ORDER if name in whole} | {"$defs": whole.get("$defs", {})}


def text(message: Message) -> str:
    """The file as it is committed."""
    return json.dumps(schema(message), ensure_ascii=False, indent=2) + "\n"


class _Generator(GenerateJsonSchema):
    """As pydantic has it, with field docstrings, without titles that repeat the field's name."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        generated = super().model_schema(schema)
        documented = _field_docstrings(schema["cls"])
        properties = generated.get("properties", {})
        for name in properties.keys() & documented.keys():
            properties[name].setdefault("description", documented[name])
        if "const" in properties.get("type", {}):
            generated["required"] = ["type", *(name for name in generated.get("required", ()) if name != "type")]
        return generated

    def tagged_union_schema(self, schema: core_schema.TaggedUnionSchema) -> JsonSchemaValue:
        generated = super().tagged_union_schema(schema)
        generated.pop("discriminator", None)
        return generated


def _field_docstrings(model: type) -> dict[str, str]:
    """Field -> the string that stands below it in the class body, for the class and those it derives from."""
    documented: dict[str, str] = {}
    for base in reversed(model.__mro__):
        if base.__module__.startswith("linkage."):
            documented |= _docstrings_below_fields(base)
    return documented


@cache
def _docstrings_below_fields(model: type) -> dict[str, str]:
    body = _class_bodies(model.__module__)[model.__name__]
    found: dict[str, str] = {}
    for field, below in pairwise(body):
        match field, below:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(docstring))),
            ):
                found[name] = " ".join(inspect.cleandoc(docstring).split())
    return found


@cache
def _class_bodies(module: str) -> dict[str, list[ast.stmt]]:
    tree = ast.parse(inspect.getsource(import_module(module)))
    return {node.name: node.body for node in tree.body if isinstance(node, ast.ClassDef)}


MESSAGES = _messages()
"""Every type that has a file of its own, by file name."""
