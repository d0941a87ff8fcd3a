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
        ((1001, ""), True),
        ((1002, ""), False),
        ((1012, "service restart"), True),
        ((4000, "session expired"), True),
        ((1008, "idle timeout"), True),
    ],
)
def test_only_a_good_bye_or_a_word_about_age_says_so(closing, is_known):
    known, _lifetimes = ended([(8.0, 8.0), (8.1, 8.0), (8.2, 8.0)], closing)

    assert is_known == any(known)


def test_what_lives_for_less_than_a_second_was_not_wanted():
    for age_s, count in ((0.99, 0), (1.0, 3)):
        known, _lifetimes = ended([(1.0, age_s), (1.2, age_s), (1.4, age_s)])

        assert [0, 0, count] == known


@pytest.mark.parametrize(
    ("usual_s", "apart_s", "count"),
    [(1.5, 0.12, 3), (1.5, 0.125, 0), (8.0, 0.48, 3), (8.0, 0.5, 0)],
)
def test_ages_may_scatter_by_a_tenth_of_a_second_or_by_a_twentieth(usual_s, apart_s, count):
    known, _lifetimes = ended([(10.0 * n, usual_s + n * apart_s) for n in (-1, 0, 1)])

    assert [0, 0, count] == known


def test_ages_that_scatter_by_a_twentieth_exactly_are_a_bound():
    """The first three ended at one moment, and so together."""
    for longest_s, count in ((10.5, 4), (10.51, 0)):
        known, _lifetimes = ended([(0.0, 9.5), (0.0, longest_s), (0.0, 9.5), (100.0, longest_s)])

        assert [0, 0, 0, count] == known


@pytest.mark.parametrize(("age_s", "count"), [(1.405, 1), (1.595, 1), (1.395, 0), (1.605, 0)])
def test_who_ends_within_a_tenth_of_a_second_of_the_known_age_is_of_it(age_s, count):
    _known, lifetimes = ended([(10.0, 1.5), (20.0, 1.5), (30.0, 1.5)])

    assert count == lifetimes.note(age_s, 40.0, GOODBYE)


@pytest.mark.parametrize(("moments_apart_s", "count"), [(0.07, 0), (0.09, 3)])
def test_moments_are_twice_as_far_apart_as_ages_where_the_age_is_the_reason(moments_apart_s, count):
    known, _lifetimes = ended([(moments_apart_s * n, 8.0 + 0.04 * n) for n in (-1, 0, 1)])

    assert [0, 0, count] == known


def test_what_ended_otherwise_is_forgotten_after_a_hundred_and_stays_lost():
    odd = [(1.0, 3.0), (2.0, 20.0)]
    known, _lifetimes = ended([*odd, *((10.0 + n, 8.0) for n in range(100))])

    assert [*[0] * 101, 100] == known


def held(moments_and_ages, closing=None, eldest_age_s=0.0, **more):
    """Return how many are known with each, while nobody open is older than that when it ends."""
    lifetimes = Lifetimes()
    return [
        lifetimes.note(
            *(age_s, now_s, closing), eldest_born_s=lambda now=now_s: now - eldest_age_s, **more
        )
        for now_s, age_s in moments_and_ages
    ]


ALIKE = [(8.0 + 0.3 * n, 8.0) for n in range(4)]
SCATTERED = [(27.0, 27.0), (28.5, 28.5), (30.0, 30.0), (32.8, 32.8)]
"""A bound of 30 s with a tenth of jitter, of connections that were opened at once."""


@pytest.mark.parametrize(
    ("eldest_age_s", "known"), [(8.2, [0, 0, 3, 1]), (8.9, [0, 0, 0, 0]), (60.0, [0, 0, 0, 0])]
)
def test_without_a_good_bye_the_oldest_end_where_age_is_the_reason(eldest_age_s, known):
    assert known == held(ALIKE, eldest_age_s=eldest_age_s)


@pytest.mark.parametrize("closing", [None, GOODBYE])
def test_ages_with_jitter_are_a_bound_where_the_oldest_end_one_by_one(closing):
    known = held(SCATTERED, closing, is_held=True)

    assert [0, 0, 3, 1] == known
    assert [0] * 4 == held(SCATTERED, closing, is_held=False), "newcomers may be the reason"
    assert [0] * 4 == held(SCATTERED, closing, is_held=True, eldest_age_s=60.0)


def test_ages_with_jitter_that_end_together_are_lost():
    together = [(30.0 + 0.01 * n, age_s) for n, age_s in enumerate((27.0, 30.0, 33.0, 28.0))]

    assert [0] * 4 == held(together, GOODBYE, is_held=True)


def test_what_ends_by_a_code_of_trouble_is_lost_at_any_age():
    assert [0] * 4 == held(SCATTERED, (1011, "internal error"), is_held=True)


@pytest.mark.parametrize(
    ("age_s", "eldest_age_s", "count"),
    [(8.0, 8.39, 3), (8.0, 8.41, 0), (2.0, 2.34, 3), (2.0, 2.36, 0)],
)
def test_an_older_one_may_be_open_by_a_twentieth_or_by_what_a_busy_host_takes(
    age_s, eldest_age_s, count
):
    ends = [(100.0 + 0.3 * n, age_s) for n in range(3)]

    assert [0, 0, count] == held(ends, eldest_age_s=eldest_age_s)


@pytest.mark.parametrize(("eldest_age_s", "known"), [(44.9, [0, 0, 3, 1]), (45.1, [0, 0, 0, 4])])
def test_where_ages_have_jitter_nobody_is_open_who_is_half_as_old_again(eldest_age_s, known):
    """As the third, who ends at 30 s; the fourth at 32.8 s."""
    assert known == held(SCATTERED, GOODBYE, is_held=True, eldest_age_s=eldest_age_s)


@pytest.mark.parametrize(("age_s", "count"), [(14.2, 0), (14.3, 1), (42.7, 1), (42.8, 0)])
def test_where_ages_have_jitter_others_end_within_half_of_their_mean(age_s, count):
    """It is 28.5 s."""
    assert count == held([*SCATTERED[:3], (60.0, age_s)], GOODBYE, is_held=True)[-1]


@pytest.mark.parametrize(
    ("ages_s", "apart_s", "count"),
    [
        ((27.0, 28.5, 30.0), 0.365, 0),
        ((27.0, 28.5, 30.0), 0.37, 3),
        ((57.0, 60.0, 63.0), 0.73, 0),
        ((57.0, 60.0, 63.0), 0.74, 3),
    ],
)
def test_ages_with_jitter_end_three_tenths_of_a_second_or_a_hundredth_of_them_apart(
    ages_s, apart_s, count
):
    """The scatter of three moments is √⅔ of what is between two of them."""
    ends = [(100.0 + apart_s * n, age_s) for n, age_s in enumerate(ages_s)]

    assert [0, 0, count] == held(ends, GOODBYE, is_held=True)
