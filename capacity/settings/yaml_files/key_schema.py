"""What keys a settings file may have, read from the JSON schema of its model."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from pydantic import TypeAdapter


class Key(NamedTuple):
    """One key of a file kind; `<name>` stands for any key, `[]` for the items of a list."""

    path: str
    type: str
    default: str
    """As written in YAML; `required` if there is none."""
    meaning: str


def keys_at(adapter: TypeAdapter[Any], data: Any, place: tuple[str | int, ...]) -> list[str]:
    """Return the keys that the mapping at *place* of the document *data* may have."""
    schema = adapter.json_schema()
    definitions = schema.get("$defs", {})
    node = _chosen(schema, definitions, data)
    for step in place:
        data = data[step]
        if isinstance(step, int):
            node = node.get("items", {})
        else:
            node = node.get("properties", {}).get(step) or node.get("additionalProperties", {})
        node = _chosen(node if isinstance(node, dict) else {}, definitions, data)
    return list(node.get("properties", {}))


def keys_of(adapter: TypeAdapter[Any]) -> list[Key]:
    """Return every key of the file kind, in the order of its model."""
    schema = adapter.json_schema()
    definitions = schema.get("$defs", {})
    keys: dict[Key, None] = {}
    for variant in _variants(schema, definitions):
        keys.update(dict.fromkeys(_keys_below(variant, definitions, "")))
    return list(keys)


def _keys_below(node: dict[str, Any], definitions: dict[str, Any], prefix: str) -> Iterator[Key]:
    required = node.get("required", [])
    for name, field in node.get("properties", {}).items():
        path = f"{prefix}{name}"
        default = "required" if name in required else _yaml(field.get("default"))
        if name not in required and "default" not in field:
            default = "{}"
        yield Key(path, _type_of(field, definitions), default, field.get("description", ""))
        for variant in _variants(field, definitions):
            yield from _keys_below(variant, definitions, f"{path}.")
            nested = variant.get("additionalProperties")
            if isinstance(nested, dict):
                for inner in _variants(nested, definitions):
                    yield from _keys_below(inner, definitions, f"{path}.<name>.")
            if isinstance(variant.get("items"), dict):
                for inner in _variants(variant["items"], definitions):
                    yield from _keys_below(inner, definitions, f"{path}[].")


def _variants(node: dict[str, Any], definitions: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the schemas that *node* allows, without references and without null."""
    if "$ref" in node:
        return _variants(definitions[node["$ref"].rsplit("/", 1)[-1]], definitions)
    choices = node.get("anyOf") or node.get("oneOf")
    if choices is None:
        return [] if node.get("type") == "null" else [node]
    return [variant for choice in choices for variant in _variants(choice, definitions)]


def _chosen(node: dict[str, Any], definitions: dict[str, Any], data: Any) -> dict[str, Any]:
    """Return the one schema of several that *data*, by its discriminator, means to follow."""
    variants = _variants(node, definitions)
    if len(variants) > 1 and isinstance(data, dict):
        key = node.get("discriminator", {}).get("propertyName")
        for variant in variants:
            if key and variant["properties"][key].get("const") == data.get(key):
                return variant
    return variants[0] if variants else {}


def _type_of(field: dict[str, Any], definitions: dict[str, Any]) -> str:
    names = []
    for variant in _variants(field, definitions):
        if "const" in variant:
            names.append(_yaml(variant["const"]))
        elif "enum" in variant:
            names.append(" \\| ".join(_yaml(value) for value in variant["enum"]))
        elif variant.get("type") == "array":
            names.append(f"list of {_type_of(variant['items'], definitions)}")
        else:
            names.append(_TYPES.get(variant.get("type", ""), "any"))
    bounds = "".join(
        f", {sign} {_yaml(variant[key])}"
        for variant in _variants(field, definitions)
        for key, sign in _BOUNDS
        if key in variant
    )
    return " or ".join(names) + bounds


_TYPES = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true \\| false",
    "object": "mapping",
}
_BOUNDS = (
    ("exclusiveMinimum", ">"),
    ("minimum", "≥"),
    ("exclusiveMaximum", "<"),
    ("maximum", "≤"),
)


def _yaml(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {_yaml(item)}' for key, item in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(_yaml(item) for item in value)}]"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
