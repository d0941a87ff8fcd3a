"""Readings before and after connections were opened, judged without a run around them."""

import runpy
from pathlib import Path

import pytest

from capacity.domain.resources import Resource
from capacity.planning.evidence.identity.count_gains import LEAST_GAIN_RATIO, gain, rise

sample_of = runpy.run_path(str(Path(__file__).parents[3] / "agent_samples.py"))["sample_of"]

DESCRIPTORS = Resource.DESCRIPTORS


def sample(**used):
    return sample_of(used={Resource(name): value for name, value in used.items()})


def risen(before, after, opened=100, processes=1):
    return rise(
        [sample(descriptors=value) for value in before],
        [sample(descriptors=value) for value in after],
        opened=opened,
        processes=processes,
    )


@pytest.mark.parametrize(
    ("opened", "unknown"),
    [(4, "so few connections"), (5, None)],
)
def test_a_handful_of_connections_is_the_least_to_judge_by(opened, unknown):
    found = risen([15.0], [15.0], opened=opened)

    assert (found.is_seen is False) is (unknown is None)
    assert (found.unknown or "").startswith(unknown or "")


@pytest.mark.parametrize(("gained", "is_seen"), [(49.0, False), (50.0, True)])
def test_half_of_what_was_opened_is_enough(gained, is_seen):
    assert LEAST_GAIN_RATIO == 0.5
    assert is_seen is risen([15.0], [15.0 + gained]).is_seen


@pytest.mark.parametrize(("anyway", "is_judged"), [(2000.0, True), (2001.0, False)])
def test_less_than_a_twentieth_of_its_own_traffic_is_not_judged(anyway, is_judged):
    found = risen([anyway], [anyway])

    assert is_judged is (found.is_seen is False)
    assert is_judged is (found.unknown is None)


@pytest.mark.parametrize(("swing", "is_judged"), [(49.0, True), (50.0, False)])
def test_counts_that_come_and_go_as_much_by_themselves_are_not_judged(swing, is_judged):
    assert is_judged is (risen([15.0, 15.0 + swing], [15.0]).is_seen is False)


@pytest.mark.parametrize(("opened", "is_judged"), [(39, False), (40, True)])
def test_ten_connections_a_process_are_the_fewest(opened, is_judged):
    assert is_judged is (risen([15.0], [15.0], opened=opened, processes=4).is_seen is False)


def test_of_an_unknown_number_of_processes_nothing_is_said():
    assert "how many processes" in risen([15.0], [15.0], processes=0).unknown


def test_what_was_gained_is_said_in_counts_that_are_never_less_than_none():
    found = rise(
        [sample(descriptors=20.0, application_connections=4.0)],
        [sample(descriptors=21.0, application_connections=2.0)],
        opened=5,
        processes=1,
    )

    assert "0 connections and 1 descriptor while 5 connections were opened" == found.statement


def test_without_a_reading_nothing_was_gained_and_nothing_is_said():
    assert gain([sample()], [sample(descriptors=3.0)], DESCRIPTORS) is None
    assert "could be read" in rise([sample()], [sample()], opened=9, processes=1).unknown


@pytest.mark.parametrize(
    ("was", "is_now", "opened", "processes", "is_seen"),
    [
        ([100] * 3, [150] * 3, 100, 1, True),
        ([100] * 3, [149] * 3, 100, 1, False),
        # It swings by half of what is opened, or by less.
        ([100, 150], [125] * 3, 100, 1, None),
        ([100, 149], [125] * 3, 100, 1, False),
        # A twentieth of what it has is opened, or less.
        ([2000] * 3, [2000] * 3, 100, 1, False),
        ([2001] * 3, [2001] * 3, 100, 1, None),
        # Ten connections for each of four processes, or fewer; the fullest gained its share or less.
        ([100] * 3, [100] * 3, 40, 4, False),
        ([100] * 3, [100] * 3, 39, 4, None),
        ([100] * 3, [105] * 3, 40, 4, True),
        ([100] * 3, [104] * 3, 40, 4, False),
        ([100] * 3, [119] * 3, 40, 0, None),
        ([100] * 3, [120] * 3, 40, 0, True),
        # The ten newest readings count.
        ([0] + [100] * 10, [100] * 3, 100, 1, False),
        ([0] + [100] * 9, [100] * 3, 100, 1, None),
    ],
)
def test_what_is_opened_is_seen_from_half_of_it_on_if_nothing_hides_it(
    was, is_now, opened, processes, is_seen
):
    found = risen(was, is_now, opened=opened, processes=processes)

    assert found.is_seen is is_seen
    assert (found.unknown is None) is (is_seen is not None)


@pytest.mark.parametrize(("gained", "is_seen"), [(50, True), (49, False)])
def test_a_thread_for_half_of_the_connections_is_enough(gained, is_seen):
    before, after = ([sample(descriptors=9.0, threads=4.0 + more)] for more in (0, gained))

    assert rise(before, after, opened=100, processes=1).is_seen is is_seen


def test_one_connection_was_opened_and_a_fall_is_no_gain():
    assert risen([9.0], [5.0], opened=1).statement == (
        "0 descriptors while 1 connection was opened"
    )
