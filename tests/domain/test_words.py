"""Every resource has a name to show, and no two share one."""

from capacity.domain.resources import Resource
from capacity.domain.words import RESOURCES


def test_every_resource_has_words_of_its_own():
    assert set(Resource) == set(RESOURCES)
    assert len(RESOURCES) == len(set(RESOURCES.values()))


def test_no_name_shows_how_a_program_spells_it():
    assert [] == [words for words in RESOURCES.values() if "_" in words]
