"""A quick "is it valid?" for the part of JSON Schema that the contract uses; jsonschema takes ten times longer.

It only says that a value is right: what it does not pass is judged, and named, by jsonschema. A keyword that it does
not know is an error, never passed over.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

Check = Callable[[Any], bool]
Find = Callable[[str, str], tuple[str, Any]]
"""(base, reference) -> (the base of what is referred to, its schema)."""

SILENT = {"title", "description", "default", "$schema", "$id", "$defs", "required", "additionalProperties"}
"""Says nothing about a value; or, the last two, is looked at beside `properties`."""
TYPES: Mapping[str, Check] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
}


def is_instant(text: Any) -> bool:
    """RFC 3339 with an offset; whatever is no text is not its business."""
    try:
        return not isinstance(text, str) or datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


class Shapes:
    """Checks made once for each schema."""

    def __init__(self, find: Find) -> None:
        self._find = find
        self._made: dict[tuple[str, str], Check] = {}

    def at(self, base: str, reference: str) -> Check:
        """The check of what a reference means, seen from a base."""
        if (made := self._made.get((base, reference))) is None:
            made = self._made[base, reference] = self._of(*self._find(base, reference))
        return made

    def _of(self, base: str, schema: Any) -> Check:
        if isinstance(schema, bool):
            return lambda _value: schema
        checks = [self._keyword(base, name, wanted) for name, wanted in schema.items() if name not in SILENT]
        if schema.keys() & {"properties", "required", "additionalProperties"}:
            checks.append(self._object(base, schema))
        return lambda value: all(check(value) for check in checks)

    def _keyword(self, base: str, name: str, wanted: Any) -> Check:
        match name:
            case "properties":
                return lambda _value: True
            case "$ref":
                return lambda value: self.at(base, wanted)(value)
            case "allOf" | "anyOf":
                parts = [self._of(base, one) for one in wanted]
                together = all if name == "allOf" else any
                return lambda value: together(part(value) for part in parts)
            case "oneOf":
                return self._one_of([self._of(base, one) for one in wanted], [_named(one) for one in wanted])
            case "items":
                part = self._of(base, wanted)
                return lambda value: not isinstance(value, list) or all(map(part, value))
        return _simple(name, wanted)

    def _one_of(self, parts: list[Check], names: list[str]) -> Check:
        by_type = dict(zip(names, parts, strict=True))

        def check(value: Any) -> bool:
            part = by_type.get(value.get("type", "")) if isinstance(value, dict) else None
            return part is not None and part(value)

        return check

    def _object(self, base: str, schema: Mapping[str, Any]) -> Check:
        known = {name: self._of(base, one) for name, one in schema.get("properties", {}).items()}
        required = schema.get("required", ())
        other = self._of(base, schema.get("additionalProperties", True))

        def check(value: Any) -> bool:
            if not isinstance(value, dict):
                return True
            return all(name in value for name in required) and all(
                known.get(name, other)(one) for name, one in value.items()
            )

        return check


def _named(branch: Mapping[str, Any]) -> str:
    """`#/$defs/TeamOrdered` and `./TeamOrdered.v0.json` mean the type `linkage.TeamOrdered.v0`, and no other."""
    name = branch.get("$ref", "").rpartition("/")[2].removesuffix(".json").removesuffix(".v0")
    return f"linkage.{name}.v0"


def _simple(name: str, wanted: Any) -> Check:
    """Keywords about one kind of value; all others are not their business."""
    match name:
        case "type":
            types = [TYPES[one] for one in ([wanted] if isinstance(wanted, str) else wanted)]
            return lambda value: any(one(value) for one in types)
        case "const":
            return lambda value: value == wanted
        case "enum":
            return lambda value: value in wanted
        case "pattern":
            pattern = re.compile(wanted)
            return lambda value: not isinstance(value, str) or pattern.search(value) is not None
        case "minLength" | "minItems":
            kind = str if name == "minLength" else list
            return lambda value: not isinstance(value, kind) or len(value) >= wanted
        case "maxLength" | "maxItems":
            kind = str if name == "maxLength" else list
            return lambda value: not isinstance(value, kind) or len(value) <= wanted
        case "minimum":
            return lambda value: not TYPES["number"](value) or value >= wanted
        case "maximum":
            return lambda value: not TYPES["number"](value) or value <= wanted
        case "format" if wanted == "date-time":
            return is_instant
        case "format" if wanted == "uri-reference":
            return lambda _value: True
    raise NotImplementedError(f"JSON Schema keyword {name}: {wanted!r}")
