"""Numbering rules."""

import pytest

from capacity.workload.dialects.matching import MOST_DIGITS, as_number
from capacity.workload.dialects.sequence import (
    MOST_MISSED,
    Sequence,
    Snapshot,
    check_by,
    rule_for,
)

LINKED = Sequence(rule="prev_link", seq="id", prev="prev", snapshot=Snapshot(missing="prev"))
DENSE = Sequence(rule="plus_one", seq="id")
RANGED = Sequence(rule="range", first="first", seq="id")
GROWING = Sequence(rule="monotonic", seq="id")


def missed(rule, items):
    """Return the missing updates before each of *items*, and the problems."""
    check, last, found, problems = check_by(rule), None, [], []
    for item in items:
        last, count, problem = check({}, item, last)
        found.append(0 if count is None else count)
        problems += [problem] if problem else []
    return found, problems


@pytest.mark.parametrize(
    ("rule", "items", "counts"),
    [
        (DENSE, [{"id": n} for n in (5, 6, 7)], [0, 0, 0]),
        (DENSE, [{"id": n} for n in (5, 7, 10)], [0, 1, 2]),
        (DENSE, [{"id": n} for n in (5, 5, 6)], [0, 0, 0]),
        (DENSE, [{"id": n} for n in (5, 5 + MOST_MISSED + 1)], [0, MOST_MISSED]),
        (DENSE, [{"id": n} for n in (5, 2**63)], [0, 1]),
        (LINKED, [{"id": 4}, {"id": 9, "prev": 4}, {"id": 11, "prev": 9}], [0, 0, 0]),
        (LINKED, [{"id": 4}, {"id": 9, "prev": 8}, {"id": 11, "prev": 9}], [0, 1, 0]),
        (LINKED, [{"id": 9, "prev": 8}, {"id": 11, "prev": 9}], [0, 0]),
        (LINKED, [{"id": 9, "prev": 8}, {"id": 2}, {"id": 3, "prev": 2}], [0, 0, 0]),
        (LINKED, [{"id": 4}, {"id": 9, "prev": "4"}], [0, 0]),
        (LINKED, [{"id": 4}, {"id": 9, "prev": "five"}], [0, 1]),
        (LINKED, [{"id": "4"}, {"id": "9", "prev": "4"}, {"id": "11", "prev": "8"}], [0, 0, 1]),
        (DENSE, [{"id": f"{2**60 + n}"} for n in (5, 6, 9)], [0, 0, 2]),
        (RANGED, [{"first": 1, "id": 5}, {"first": 6, "id": 30}], [0, 0]),
        (RANGED, [{"first": 1, "id": 5}, {"first": 7, "id": 30}], [0, 1]),
        (RANGED, [{"first": 1, "id": 5}, {"first": 5, "id": 5}, {"first": 3, "id": 9}], [0, 0, 0]),
        (RANGED, [{"first": "1", "id": "5"}, {"first": "400", "id": "430"}], [0, 1]),
        (GROWING, [{"id": n} for n in (1, 50, 51)], [0, 0, 0]),
    ],
)
def test_missing_updates_are_counted_before_the_update_that_shows_it(rule, items, counts):
    assert missed(rule, items) == (counts, [])


@pytest.mark.parametrize("rule", [DENSE, GROWING])
def test_a_number_that_goes_back_is_told_and_begins_anew(rule):
    counts, problems = missed(rule, [{"id": n} for n in (1000, 1, 2, 3)])

    assert counts == [0, 0, 0, 0]
    assert problems == ["the sequence went back from 1000 to 1"]


def test_after_a_restart_gaps_are_seen_again():
    counts, _problems = missed(DENSE, [{"id": n} for n in (1000, 1, 2, 5)])

    assert counts == [0, 0, 0, 2]


@pytest.mark.parametrize(
    "value",
    [None, "6.0", "0x6", "six", "", "-", "٦", "1" * (MOST_DIGITS + 1), True, 6.0, [], {}],
)
def test_an_update_without_a_whole_number_changes_nothing_and_says_nothing_of_gaps(value):
    assert check_by(DENSE)({}, {"id": value}, 5) == (5, None, "no whole number at id")


@pytest.mark.parametrize("item", [{}, [], 3])
def test_neither_does_one_without_the_path(item):
    assert check_by(DENSE)({}, item, 5) == (5, None, "no whole number at id")


def test_a_range_without_its_first_number_is_not_checked():
    assert check_by(RANGED)({}, {"id": 6}, 5) == (5, None, "no whole number at first")


@pytest.mark.parametrize(
    ("value", "number"),
    [("17", 17), ("-3", -3), ("0", 0), ("9" * MOST_DIGITS, int("9" * MOST_DIGITS))],
)
def test_a_text_of_digits_is_a_number(value, number):
    assert as_number(value) == number


def test_a_frame_can_say_that_the_numbering_starts_anew():
    rule = Sequence(
        rule="prev_link", seq="u", prev="pu", snapshot=Snapshot(where={"action": "snapshot"})
    )

    assert check_by(rule)({"action": "snapshot"}, {"u": 9, "pu": -1}, 5) == (9, 0, None)
    assert check_by(rule)({"action": "update"}, {"u": 9, "pu": -1}, 5) == (9, 1, None)


def test_the_first_rule_that_fits_a_channel_counts():
    nothing = Sequence(rule="none", only="book.*.10.*")
    rules = (nothing, Sequence(rule="prev_link", only="book.*", seq="id", prev="prev"), DENSE)

    assert rule_for(rules, "book.A.none.10.100ms") is None
    assert rule_for(rules, "book.A.100ms") is rules[1]
    assert rule_for(rules, "trades.A") is DENSE
    assert rule_for((nothing,), "trades.A") is None
