"""What keys a file may have."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from capacity.settings.yaml_files.key_schema import Key, keys_at, keys_of

DOCUMENTED = ConfigDict(use_attribute_docstrings=True)


class Leaf(BaseModel):
    model_config = DOCUMENTED
    deep: int | None = None
    """Deep."""


class One(BaseModel):
    model_config = DOCUMENTED
    kind: Literal["one"]
    """Which."""
    share: Annotated[float, Field(gt=0, le=0.25)] = 0.25
    """Share."""
    leaves: tuple[Leaf, ...] = ()
    """Leaves."""


class Two(BaseModel):
    model_config = DOCUMENTED
    kind: Literal["two"]
    """Which."""
    by_name: dict[str, Leaf]
    """By name."""


ADAPTER = TypeAdapter(Annotated[One | Two, Field(discriminator="kind")])


def test_keys_at_a_place_are_those_of_the_kind_that_the_document_is():
    one = {"kind": "one", "leaves": [{"deep": 1}]}
    two = {"kind": "two", "by_name": {"x": {}}}

    assert keys_at(ADAPTER, one, ()) == ["kind", "share", "leaves"]
    assert keys_at(ADAPTER, one, ("leaves", 0)) == ["deep"]
    assert keys_at(ADAPTER, two, ()) == ["kind", "by_name"]
    assert keys_at(ADAPTER, two, ("by_name", "x")) == ["deep"]


def test_keys_of_a_file_kind_have_type_default_and_meaning():
    assert keys_of(ADAPTER) == [
        Key("kind", "one", "required", "Which."),
        Key("share", "number, > 0, ≤ 0.25", "0.25", "Share."),
        Key("leaves", "list of mapping", "[]", "Leaves."),
        Key("leaves[].deep", "whole number", "null", "Deep."),
        Key("kind", "two", "required", "Which."),
        Key("by_name", "mapping", "required", "By name."),
        Key("by_name.<name>.deep", "whole number", "null", "Deep."),
    ]
