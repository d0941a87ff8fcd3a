"""The pace that pollers and traders keep: of real time, on gevent's clock."""

import itertools
import time
from types import SimpleNamespace

import gevent
import pytest

from capacity.loadgen.client import steady_pace
from capacity.loadgen.client.alarm import Alarm
from capacity.loadgen.client.steady_pace import Part, keep_pace, pace_or_rest
from capacity.loadgen.client.wakeup import Wakeup


class Stage:
    def __init__(self):
        self.rate_per_s, self.failed = 100.0, {}
        self.stage_changed, self.alarm = Wakeup(), Alarm()
        self.counters = SimpleNamespace(fail=self._fail)

    def _fail(self, reason, count):
        self.failed[reason] = self.failed.get(reason, 0) + count

    def part(self, act, members=(1,), pace=lambda: None):
        return Part(
            clients=self,
            rate_per_s=lambda: self.rate_per_s,
            members=members,
            pace=pace,
            act=act,
            dropped="late",
        )


@pytest.fixture(name="stage")
def fixture_stage():
    stage = Stage()
    yield stage
    stage.alarm.close()


def test_starts_are_intended_at_even_intervals_whatever_the_act_takes(stage):
    intended = []

    def act(intended_s):
        intended.append(intended_s)
        gevent.sleep(0.015)
        stage.rate_per_s = 0.0 if len(intended) == 5 else 100.0
        return 0.0

    keep_pace(stage.part(act), (0.01, 0.0))

    gaps = [later - earlier for earlier, later in itertools.pairwise(intended)]
    assert all(abs(gap - 0.01) < 1e-9 for gap in gaps)
    assert len(intended) == 5


def test_what_is_too_late_to_be_made_up_for_is_counted(stage):
    acts = []

    def act(intended_s):
        acts.append(intended_s)
        if len(acts) == 1:
            gevent.sleep(0.05)
        stage.rate_per_s = 0.0 if len(acts) == 3 else 100.0
        return 0.0

    keep_pace(stage.part(act), (0.001, 0.0))

    assert stage.failed["late"] >= 30


def test_a_new_stage_ends_the_wait(stage):
    waiting = gevent.spawn(keep_pace, stage.part(lambda _: 0.0), (60.0, 60.0))
    gevent.sleep(0.01)
    stage.rate_per_s = 0.0
    stage.stage_changed.ring()
    waiting.join(timeout=5)

    assert waiting.ready()


def test_a_pause_that_the_target_asks_for_is_kept(stage):
    at = []

    def act(intended_s):
        at.append(time.monotonic())
        stage.rate_per_s = 0.0 if len(at) == 2 else 100.0
        return 0.1

    keep_pace(stage.part(act), (0.001, 0.0))

    assert at[1] - at[0] >= 0.1


def test_who_has_to_rest_because_others_joined_ends(stage):
    members = [1]

    def act(_):
        members.append(2)
        return 0.0

    keep_pace(stage.part(act, members), (0.001, 0.0))

    assert len(members) == 2


def test_who_shares_the_rate_with_others_that_joined_goes_on_at_its_new_pace(stage):
    members, intended = [1], []

    def act(intended_s):
        intended.append(intended_s)
        members[:] = [1, 2]
        stage.rate_per_s = 0.0 if len(intended) == 4 else 100.0
        return 0.0

    keep_pace(stage.part(act, members, lambda: (0.1, 5.0)), (0.05, 0.0))

    gaps = [later - earlier for earlier, later in itertools.pairwise(intended)]
    assert pytest.approx([0.05, 0.1, 0.1]) == gaps


def test_who_has_nothing_to_do_hangs_up_and_looks_again_after_a_second(stage):
    waited, hung_up = [], []
    stage.stage_changed = SimpleNamespace(wait=waited.append)
    pace_or_rest(stage.part(lambda _: 0.0), lambda: hung_up.append(True))

    assert ([1.0], [True]) == (waited, hung_up)


@pytest.mark.parametrize(("left_s", "waits"), [(1.0, [0.998]), (0.0021, [0.0001]), (0.0019, [])])
def test_the_last_two_milliseconds_are_slept_by_the_alarm(stage, monkeypatch, left_s, waits):
    now_s, waited, rung = [50.0], [], []

    def wait(seconds):
        waited.append(seconds)
        now_s[0] += seconds + 1e-4  # Late, as a loop's timers are.

    def ring(moment_s):
        rung.append(moment_s)
        now_s[0] = moment_s

    monkeypatch.setattr(steady_pace, "time", SimpleNamespace(monotonic=lambda: now_s[0]))
    stage.alarm.close()
    stage.stage_changed = SimpleNamespace(wait=wait)
    stage.alarm = SimpleNamespace(sleep_until=ring, close=lambda: None)
    steady_pace.sleep_until(50.0 + left_s, stage.part(lambda _: 0.0), 100.0)

    assert (pytest.approx(waits), [50.0 + left_s]) == (waited[:1], rung)
