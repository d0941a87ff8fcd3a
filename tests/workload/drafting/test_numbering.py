"""Where updates tell their time and their number."""

import pytest

from capacity.workload.drafting.numbering import outside_lists, sequences_of, time_of

NOW_S = 1_795_770_000.0


@pytest.mark.parametrize(
    ("value", "unit"),
    [
        (NOW_S, "s"),
        (NOW_S * 1e3, "ms"),
        (str(int(NOW_S * 1e6)), "us"),
        (int(NOW_S * 1e9), "ns"),
        ("2026-11-27T09:00:00Z", "rfc3339"),
    ],
)
def test_a_time_near_its_arrival_is_found_in_its_unit(value, unit):
    assert (1, "a.ts", unit) == time_of([({"a": {"ts": value}, "n": 5}, NOW_S)])


def test_without_arrivals_a_time_of_this_century_will_do():
    assert (1, "t", "ms") == time_of([({"t": 1_795_770_000_000}, None)])
    assert time_of([({"t": 5}, None)]) is None


def test_a_time_that_most_updates_tell_will_do_and_one_of_few_will_not():
    timed, bare = ({"ts": NOW_S}, NOW_S), ({"p": 1}, NOW_S)

    assert (1, "ts", "s") == time_of([timed, bare])
    assert time_of([timed, bare, bare]) is None


def test_paths_through_lists_are_left_out_but_for_a_list_that_is_the_message():
    assert ["a"] == outside_lists({"a": 1, "b": [{"c": 2}]})
    assert ["0"] == outside_lists([1, [2]])


def test_of_two_times_the_finer_is_taken():
    both = [({"time": int(NOW_S), "micro": int(NOW_S * 1e6) + n}, NOW_S) for n in (5, 6)]

    assert (2, "micro", "us") == time_of(both)


def updates(key, *numbers, **more):
    return [
        {key: number, **{name: values[n] for name, values in more.items()}}
        for n, number in enumerate(numbers)
    ]


def test_consecutive_numbers_of_each_channel():
    one, two = updates("n", 1, 2, 3), updates("n", 7, 8, 9)

    assert {"rule": "plus_one", "seq": "n"} == sequences_of([one, two], one + two, [])


def test_consecutive_numbers_of_the_connection():
    every = updates("n", 1, 2, 3, 4, 5, 6)

    assert {"rule": "plus_one", "seq": "n", "scope": "connection"} == sequences_of(
        [every[::2], every[1::2]], every, []
    )


def test_links_and_ranges():
    linked = updates("u", 5, 9, 14, 20, pu=(1, 5, 9, 14))
    ranged = updates("u", 5, 9, 14, 20, first=(1, 6, 10, 15))

    assert {"rule": "prev_link", "seq": "u", "prev": "pu"} == sequences_of([linked], linked, [])
    assert {"rule": "range", "seq": "u", "first": "first"} == sequences_of([ranged], ranged, [])


def test_what_is_taken_or_scatters_is_no_number():
    assert sequences_of([updates("n", 1, 2, 3)], updates("n", 1, 2, 3), ["n"]) is None
    assert sequences_of([updates("n", 5, 1, 9)], updates("n", 5, 1, 9), []) is None
