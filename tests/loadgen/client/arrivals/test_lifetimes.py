"""Connections that end at a set age, and those that are lost under load."""

import pytest

from capacity.loadgen.client.arrivals.lifetimes import Lifetimes

GOODBYE = (1001, "max connection age")


def ended(moments_and_ages, closing=GOODBYE):
    lifetimes = Lifetimes()
    return [lifetimes.note(age_s, now_s, closing) for now_s, age_s in moments_and_ages], lifetimes


def test_connections_that_end_alike_one_after_the_other_have_come_of_age():
    known, lifetimes = ended([(8.0, 8.0), (8.1, 8.01), (8.2, 8.0), (8.3, 8.02)])

    assert [0, 0, 3, 1] == known
    assert pytest.approx(8.0, abs=0.02) == lifetimes.age_s


def test_the_age_is_known_from_then_on():
    _known, lifetimes = ended([(8.0, 8.0), (8.1, 8.0), (8.2, 8.0)])

    assert 1 == lifetimes.note(8.39, 20.0, GOODBYE)
    assert 0 == lifetimes.note(8.41, 20.0, GOODBYE)


def test_connections_that_end_all_at_once_are_lost():
    """However alike their ages are: so are their beginnings."""
    known, _lifetimes = ended([(8.0, 8.0), (8.0, 7.9), (8.0, 7.8), (8.0, 7.7)])

    assert [0, 0, 0, 0] == known


def test_ages_that_scatter_are_no_bound():
    known, _lifetimes = ended([(4.0, 4.0), (9.0, 8.0), (14.0, 12.0)])

    assert [0, 0, 0] == known


@pytest.mark.parametrize(
    ("closing", "is_known"),
    [
        (None, False),
        ((1011, "internal error"), False),
        ((1013, "overloaded"), False),
        ((1000, ""), True),
        ((1012, "service restart"), True),
        ((4000, "session expired"), True),
        ((1008, "idle timeout"), True),
    ],
)
def test_only_a_good_bye_or_a_word_about_age_says_so(closing, is_known):
    known, _lifetimes = ended([(8.0, 8.0), (8.1, 8.0), (8.2, 8.0)], closing)

    assert is_known == any(known)


def test_what_lives_for_less_than_a_second_was_not_wanted():
    known, _lifetimes = ended([(1.0, 0.9), (1.2, 0.9), (1.4, 0.9)])

    assert [0, 0, 0] == known
