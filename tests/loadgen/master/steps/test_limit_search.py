"""Searches on targets with a planted limit, as pure conversations: steps in, observations back."""

from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace

import pytest

from capacity.domain.errors import ConfigError
from capacity.loadgen.master.steps.limit_search import LimitSearch, trials_of
from capacity.loadgen.master.steps.step_summary import observe
from capacity.loadgen.master.workers.merged_counts import MergedCounts
from capacity.settings.profile import ADAPTER
from capacity.workload.profiles.profile import Mix, Pace, Phase, mixed_step

MOST_RELIEFS = 3

MIX = Mix(
    subscriptions_per_connection=1,
    requests_per_s_per_connection=0.5,
    poll_interval_s=1.0,
    orders_per_s_per_connection=0.25,
)
PACE = Pace(connects_per_s=100.0, ramp_timeout_s=5.0, settle_s=1.0, plateau_s=2.0)
PATTERN = mixed_step(100, MIX, PACE)
PROFILE = ADAPTER.validate_python(
    {
        "profile": 1,
        "name": "search",
        "kind": "break",
        "start": 10,
        "limit": 1000,
        "growth": 2.0,
        "precision_ratio": 0.01,
        "plateau_s": 2,
        "longest_plateau_s": 8,
    }
)


class Target:
    """Holds up to *limit* connections, and feeds some of them; how often it recovers from more is planted too."""

    def __init__(
        self, report, limit, *, recovers=True, void=None, remains=0, down_steps=0, feeds=10_000
    ):
        self.report, self.limit, self.recovers, self.void = report, limit, recovers, void
        self.remains, self.down_steps = remains, down_steps
        self.is_down = False
        self.down_for = 0
        self.feeds = feeds

    def offered(self, index, step):
        is_up_again = not self.is_down and not self.down_for
        held = min(step.connections, self.limit if is_up_again else self.remains)
        self.down_for = max(0, self.down_for - 1)
        is_reached = held == step.connections
        self.is_down = self.is_down or (not is_reached and not self.recovers)
        if not is_reached and is_up_again:
            self.down_for = self.down_steps
        times = {Phase.RAMP: 100.0, Phase.SETTLE: 101.0, Phase.PLATEAU: 102.0}
        if not is_reached:
            times = {Phase.RAMP: 100.0}
        merged = MergedCounts(open_connections=[held])
        merged.add("a", self.report(deliveries=min(held, self.feeds) * 4, seconds=4.0))
        observation = observe(
            index=index,
            step=step,
            times=times,
            ended_at=106.0,
            merged_counts={list(times)[-1]: merged},
            connections_peak=held,
            users=held,
            workers=1,
            disturbances=(),
        )
        return replace(observation, void=self.void), merged


@pytest.fixture
def found(report):
    """Search a target through; return the steps offered, what was recorded, and the end."""

    def search(earlier=(), **planted):
        seeker, target = LimitSearch(PROFILE, PATTERN, None, earlier), Target(report, **planted)
        steps, recorded = [seeker.first_step()], []
        while steps[-1] is not None and len(steps) < 60:
            recorded.append(seeker.after(*target.offered(len(steps), steps[-1])))
            steps.append(seeker.next_step())
        return steps[:-1], [trial for trial in recorded if trial], seeker

    return search


@pytest.mark.parametrize("limit", [12, 100, 137, 999])
def test_the_planted_limit_is_found_exactly(found, limit):
    _steps, _recorded, seeker = found(limit=limit)
    kind, detail = seeker.end()

    assert ("finished", limit) == (kind, detail["last_passing"])
    assert limit < detail["first_failing"] <= max(limit + 1, limit * 1.01)
    assert "not_all_open" == detail["binding_slo"]["condition"]


def test_a_target_without_a_limit_is_searched_to_the_profiles_and_no_further(found):
    steps, _recorded, seeker = found(limit=5000)
    _kind, detail = seeker.end()

    assert 1000 == max(step.connections for step in steps) == detail["last_passing"]
    assert detail["first_failing"] is None
    assert "nothing broke" in detail["reason"]


def test_the_result_was_held_for_the_longest(found):
    steps, _recorded, seeker = found(limit=137)
    _kind, detail = seeker.end()
    held_s = [step.plateau_s for step in steps if step.connections == detail["last_passing"]]

    assert 8.0 == max(held_s)


def test_a_target_that_feeds_no_more_than_some_is_found_by_what_fewer_received(report):
    """An update a second and connection, known to an update in a hundred seconds."""
    profile = PROFILE.model_copy(update={"plateau_s": 100.0, "longest_plateau_s": 100.0})
    seeker, target = LimitSearch(profile, PATTERN, None, ()), Target(report, 5000, feeds=160)
    step, index = seeker.first_step(), 0
    while step is not None:
        seeker.after(*target.offered(index, step))
        step, index = seeker.next_step(), index + 1
    _kind, detail = seeker.end()

    assert "not_receiving" == detail["binding_slo"]["condition"]
    assert pytest.approx(0.99) == detail["binding_slo"]["bound"]
    # Half of it less two errors of 0.01, where 160 updates are shared by 330.
    assert 325 <= detail["last_passing"] < 330 <= detail["first_failing"] <= 334


def test_of_a_recorded_search_its_trials_are_taken_and_nothing_else(found):
    recorded = found(limit=137)[1][:2]
    events = [SimpleNamespace(kind="trial", detail=each) for each in recorded]
    record = SimpleNamespace(events=[SimpleNamespace(kind="step", detail={}), *events])

    assert [each["connections"] for each in recorded] == [
        trial.connections for trial in trials_of(record)
    ]


def test_after_each_failure_the_target_is_relieved_before_the_next_count(found):
    steps, recorded, _seeker = found(limit=137)
    failed = {trial["connections"] for trial in recorded if trial["failure"]}

    for step, after in pairwise(steps):
        if step.connections in failed:
            assert after.connections <= 137 / 2


def test_a_step_brings_its_share_of_the_mix(found):
    steps, _recorded, _seeker = found(limit=137)

    assert all(0.5 * step.connections == step.requests_per_s for step in steps)
    assert all(0.25 * step.connections == step.orders_per_s for step in steps)


def test_a_target_that_does_not_recover_ends_the_search_as_unreachable(found):
    _steps, _recorded, seeker = found(limit=137, recovers=False)
    kind, detail = seeker.end()

    assert ("aborted", 4) == (kind, detail["exit_code"])
    assert "the target did not recover" in detail["reason"]
    assert "80 connections were held, 160 failed" in detail["reason"]


@pytest.mark.parametrize("down_steps", [1, MOST_RELIEFS - 1])
def test_a_target_that_recovers_late_is_given_the_time(found, down_steps):
    steps, _recorded, seeker = found(limit=137, down_steps=down_steps)
    kind, detail = seeker.end()

    assert ("finished", 137, 138) == (kind, detail["last_passing"], detail["first_failing"])
    assert [10, 20, 40, 80, 160, *[40] * (down_steps + 1)] == [
        step.connections for step in steps[: 6 + down_steps]
    ]


def test_a_target_that_recovers_too_late_ends_the_search(found):
    steps, _recorded, seeker = found(limit=137, down_steps=MOST_RELIEFS)
    _kind, detail = seeker.end()

    assert [160, *[40] * MOST_RELIEFS] == [step.connections for step in steps[4:]]
    assert "the target did not recover" in detail["reason"]


def test_a_search_goes_on_where_an_earlier_one_was_cut(found):
    whole, _recorded, seeker = found(limit=137)
    rest, _recorded, resumed = found(limit=137, earlier=seeker.trials[:5])

    assert len(rest) < len(whole)
    assert 137 == resumed.end()[1]["last_passing"]


def test_nothing_is_left_to_do_for_a_search_that_is_over(found):
    seeker = found(limit=137)[2]

    with pytest.raises(ConfigError, match="is complete: 137 connections were held, 138 failed"):
        LimitSearch(PROFILE, PATTERN, None, seeker.trials).first_step()


def test_steps_that_say_nothing_are_repeated_and_then_end_the_search(found):
    steps, recorded, seeker = found(limit=137, void="a worker was lost")
    kind, detail = seeker.end()

    assert [10] * 3 == [step.connections for step in steps]
    assert ([], "aborted", 5) == (recorded, kind, detail["exit_code"])


def test_a_target_that_recovers_in_part_ends_the_search_with_what_was_found(found):
    _steps, _recorded, seeker = found(limit=137, recovers=False, remains=1)
    kind, detail = seeker.end()

    assert "finished" == kind
    assert "the target did not recover" in detail["reason"]
    assert "exit_code" not in detail


@pytest.mark.parametrize(("limit", "relief"), [(9, 4), (4, 2), (1, 1), (0, 1)])
def test_where_nothing_held_the_relief_is_half_of_what_was_open(found, limit, relief):
    steps, _recorded, _seeker = found(limit=limit)

    assert [10, relief] == [step.connections for step in steps[:2]]
    assert [2.0, 0.5 * relief] == [steps[1].plateau_s, steps[1].requests_per_s]


def test_a_step_that_says_nothing_now_and_then_ends_no_search(report):
    seeker, target = LimitSearch(PROFILE, PATTERN, None, ()), Target(report, 1000)
    step = seeker.first_step()
    for index in range(9):
        target.void = None if index % 3 == 2 else "a worker was lost"
        seeker.after(*target.offered(index, step))
        step = seeker.next_step()

    assert 80 == step.connections


def test_a_relief_that_says_nothing_is_offered_again(report):
    seeker, target = LimitSearch(PROFILE, PATTERN, None, ()), Target(report, 8)
    seeker.after(*target.offered(0, seeker.first_step()))
    relief = seeker.next_step()
    target.void = "a worker was lost"
    seeker.after(*target.offered(1, relief))

    assert relief == seeker.next_step()
    assert 4 == relief.connections


def test_a_trial_says_what_was_held_and_why_it_failed(found):
    _steps, recorded, seeker = found(limit=12)

    assert (10, None, 10, "it held") == tuple(
        recorded[0][name] for name in ("connections", "failure", "held", "reason")
    )
    assert (20, "not_all_open", 12) == tuple(
        recorded[1][name] for name in ("connections", "failure", "held")
    )
    assert seeker.trials[1].held == 12


def test_each_step_has_the_mix_of_the_connections_that_whole_users_open():
    per_user = 30
    profile = PROFILE.model_copy(update={"connections_per_user": per_user})
    pattern = mixed_step(1000, MIX, replace(PACE, connections_per_user=per_user))
    first = LimitSearch(profile, pattern, None, ()).first_step()

    assert 10 == first.connections
    assert pytest.approx([0.5 * per_user, 0.25 * per_user]) == [
        first.requests_per_s,
        first.orders_per_s,
    ]


def test_it_searches_for_a_limit_and_spares_the_target_nothing():
    search = LimitSearch(PROFILE, PATTERN, None, ())

    assert (True, False) == (search.is_search, search.is_careful)
