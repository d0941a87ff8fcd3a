"""Simple Binary Encoding (FIX Trading Community, SBE 1.0): a message by its schema, as an object.

Read are the fields of a message's block and its texts; of a group it is read how many entries there are, since
a key, a time and a number are all that is wanted. A field that a message is too short for is left out: its
sender has an older version. What begins like JSON and is some is read as such: requests are answered so.
"""

import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from xml.etree.ElementTree import Element, ParseError, fromstring

import orjson

_CODES: Final = {
    "char": "c", "int8": "b", "int16": "h", "int32": "i", "int64": "q",
    "uint8": "B", "uint16": "H", "uint32": "I", "uint64": "Q", "float": "f", "double": "d",
}  # fmt: skip
_HEADER: Final = ("blockLength", "templateId", "schemaId", "version")
_SIZES: Final = ("blockLength", "numInGroup")
_WRONG: Final = (struct.error, IndexError, UnicodeDecodeError)


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    read: struct.Struct
    offset: int
    is_text: bool

    @property
    def end(self) -> int:
        return self.offset + self.read.size


@dataclass(frozen=True, slots=True)
class _Group:
    """A message, or what repeats in one: its block, then its groups, then its texts."""

    name: str
    fields: tuple[_Field, ...]
    sizes: Mapping[str, _Field]
    sizes_end: int
    groups: "tuple[_Group, ...]"
    texts: tuple[tuple[str, struct.Struct], ...]

    def skipped(self, message: bytes, at: int) -> tuple[int, int]:
        """Return how many entries begin at *at*, and where what follows them does."""
        length, count = (_value(self.sizes[name], message, at) for name in _SIZES)
        at += self.sizes_end
        if not (self.groups or self.texts):
            return count, at + length * count
        for _ in range(count):
            at = self.rest(message, at + length, {})
        return count, at

    def rest(self, message: bytes, at: int, found: dict[str, Any]) -> int:
        """Read what follows a block, and return where it ends. Raises IndexError beyond the message."""
        for group in self.groups:
            found[group.name], at = group.skipped(message, at)
        for name, length in self.texts:
            size = length.unpack_from(message, at)[0]
            at += length.size
            found[name] = message[at : at + size].decode()
            at += size
        if at > len(message):
            raise IndexError
        return at


def parser_of(schema: str) -> Callable[[bytes | bytearray | memoryview], Any]:
    """Return the function that reads a message of *schema*, the text of its XML file.

    It returns {template: name, body: {field: value}}, the parts of a field as field_part, and raises orjson.JSONDecodeError for what is no
    such message. Raises ValueError for what is no schema.
    """
    try:
        return _parser(*_parts(schema))
    except (struct.error, RecursionError) as error:
        raise ValueError(f"a type has no size that can be: {error}") from None


def _parser(
    types: Mapping[str, Element], messages: list[Element], order: str
) -> Callable[[bytes | bytearray | memoryview], Any]:
    header = {field.name: field for field in _composite(types, "messageHeader", order)}
    if not set(_HEADER) <= set(header):
        raise ValueError(
            "its messageHeader has no " + ", ".join(sorted(set(_HEADER) - set(header)))
        )
    begin = max(field.end for field in header.values())
    templates = {int(one.get("id", "-1")): _group(one, types, order) for one in messages}

    def parse(message: bytes | bytearray | memoryview) -> Any:
        data = bytes(message)
        if data[:1] in {b"{", b"["}:
            try:
                return orjson.loads(data)
            except orjson.JSONDecodeError:
                pass
        try:
            template = templates[_value(header["templateId"], data, 0)]
            length = _value(header["blockLength"], data, 0)
            body = {
                field.name: _value(field, data, begin)
                for field in template.fields
                if field.end <= length
            }
            template.rest(data, begin + length, body)
        except KeyError:
            raise orjson.JSONDecodeError("no message of the schema", "", 0) from None
        except _WRONG:
            raise orjson.JSONDecodeError("shorter than its schema has it", "", 0) from None
        return {"template": template.name, "body": body}

    return parse


def _value(field: _Field, message: bytes, at: int) -> Any:
    (value,) = field.read.unpack_from(message, at + field.offset)
    return value.rstrip(b"\0").decode() if field.is_text else value


def _parts(schema: str) -> tuple[dict[str, Element], list[Element], str]:
    """Return types by name, messages, and the sign of the byte order."""
    try:
        root = fromstring(schema)  # noqa: S314 - a file of the user's own, like the dialect
    except ParseError as error:
        raise ValueError(f"no XML: {error}") from None
    types = {one.get("name", ""): one for part in root.iter("types") for one in part}
    messages = [one for one in root.iter() if one.tag.rpartition("}")[2] == "message"]
    if not messages:
        raise ValueError("it has no message")
    return types, messages, ">" if root.get("byteOrder") == "bigEndian" else "<"


def _composite(types: Mapping[str, Element], name: str, order: str) -> list[_Field]:
    if name not in types:
        raise ValueError(f"it has no type {name}")
    return list(_fields(types[name], types, order))


def _fields(
    parent: Element, types: Mapping[str, Element], order: str, prefix: str = ""
) -> Iterator[_Field]:
    """Yield the fields of a block, or of a composite type, at their places."""
    at = 0
    for one in parent:
        if one.tag not in {"field", "type", "enum", "set", "ref", "composite"}:
            continue
        if one.get("presence") == "constant":
            continue
        at = int(one.get("offset", at))
        found = _simple(one, types, order, prefix)
        for field in found:
            yield _Field(field.name, field.read, at + field.offset, field.is_text)
        at += max(field.end for field in found)


def _simple(one: Element, types: Mapping[str, Element], order: str, prefix: str) -> list[_Field]:
    name, kind = (
        prefix + one.get("name", ""),
        one.get("primitiveType") or one.get("type") or one.get("encodingType"),
    )
    known = one if kind is None else types.get(kind)
    if kind in _CODES:
        length = int(one.get("length", 1))
        is_text = kind == "char"
        code = f"{length}s" if is_text or length != 1 else _CODES[kind]
        return [_Field(name, struct.Struct(order + code), 0, is_text)]
    if known is None:
        raise ValueError(f"{name} has the type {kind}, which it does not say")
    if known.tag == "composite":
        inner = list(_fields(known, types, order, f"{name}_"))
        if inner:
            return inner
    elif known is not one:
        found = _simple(known, types, order, "")
        return [_Field(name, field.read, field.offset, field.is_text) for field in found]
    raise ValueError(f"{name} has no size")


def _group(parent: Element, types: Mapping[str, Element], order: str) -> _Group:
    sizes: list[_Field] = []
    if parent.tag == "group":
        sizes = _composite(types, parent.get("dimensionType", "groupSizeEncoding"), order)
        if not {field.name for field in sizes} >= set(_SIZES):
            raise ValueError(f"group {parent.get('name')} has no {' and '.join(_SIZES)}")
    texts = []
    for one in parent.findall("data"):
        length = next(iter(_composite(types, one.get("type", ""), order)), None)
        if length is None:
            raise ValueError(f"{one.get('name')} has no length")
        texts.append((one.get("name", ""), length.read))
    return _Group(
        parent.get("name", ""),
        tuple(_fields(parent, types, order)),
        {field.name: field for field in sizes},
        max((field.end for field in sizes), default=0),
        tuple(_group(one, types, order) for one in parent.findall("group")),
        tuple(texts),
    )
