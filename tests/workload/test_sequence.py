"""Numbering rules."""

import pytest

from capacity.workload.dialect import Sequence, Snapshot
from capacity.workload.sequence import MOST_MISSED, check_by, rule_for

LINKED = Sequence(rule="prev_link", seq="id", prev="prev", snapshot=Snapshot(missing="prev"))
DENSE = Sequence(rule="plus_one", seq="id")
GROWING = Sequence(rule="monotonic", seq="id")


def missed(rule, items):
    """Return the missing updates before each of *items*, and the problems."""
    check, last, found, problems = check_by(rule), None, [], []
    for item in items:
        last, count, problem = check({}, item, last)
        found.append(count)
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
        (LINKED, [{"id": 4}, {"id": 9, "prev": "4"}], [0, 1]),
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


@pytest.mark.parametrize("item", [{}, {"id": None}, {"id": "6"}, {"id": True}, {"id": 6.0}, [], 3])
def test_an_update_without_a_whole_number_changes_nothing_and_is_told(item):
    counts, problems = missed(DENSE, [{"id": 5}, item, {"id": 6}])

    assert counts == [0, 0, 0]
    assert problems == ["no whole number at id"]


def test_the_first_rule_that_fits_a_channel_counts():
    nothing = Sequence(rule="none", only="book.*.10.*")
    rules = (nothing, Sequence(rule="prev_link", only="book.*", seq="id", prev="prev"), DENSE)

    assert rule_for(rules, "book.A.none.10.100ms") is None
    assert rule_for(rules, "book.A.100ms") is rules[1]
    assert rule_for(rules, "trades.A") is DENSE
    assert rule_for((nothing,), "trades.A") is None
