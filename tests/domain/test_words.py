"""Every resource has a name to show, and no two share one."""

from dataclasses import fields

import pytest

from capacity.domain.load import LoadVector
from capacity.domain.resources import Resource
from capacity.domain.words import LOADS, RESOURCES, listed


def test_every_resource_has_words_of_its_own():
    assert set(Resource) == set(RESOURCES)
    assert len(RESOURCES) == len(set(RESOURCES.values()))


def test_no_name_shows_how_a_program_spells_it():
    assert [] == [words for words in (*RESOURCES.values(), *LOADS.values()) if "_" in words]


def test_parts_of_the_load_are_named_by_field():
    assert set(LOADS) <= {field.name for field in fields(LoadVector)}


@pytest.mark.parametrize(
    ("names", "expected"),
    [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")],
)
def test_names_are_listed_as_one_says_them(names, expected):
    assert listed(names) == expected
