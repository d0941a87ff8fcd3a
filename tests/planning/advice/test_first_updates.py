"""The wait for the first update behind a client's turn, as the steps of the recorded example saw it."""

import runpy
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from random import Random
from types import SimpleNamespace

import pytest

from capacity.domain.observation import Quantiles
from capacity.planning.advice.first_updates import after_turn_s
from capacity.recording.run_directory import load

EXAMPLE = runpy.run_path(str(Path(__file__).with_name("example_drill.py")))
DIALED = {
    name: Quantiles(count=20, p50_s=each_s, p95_s=9.0, p99_s=9.0, max_s=9.0)
    for name, each_s in (("tcp", 0.01), ("upgrade", 0.02))
}

TURNS_S = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5)


def after(*first_updates, rng=None):
    """Return the wait of a record whose mixed steps saw these first updates."""
    record = load(EXAMPLE["RUN"])
    mixed = [step for step in record.steps if step.step.is_mix]
    openings = [{**DIALED, "first_data": each} if each else DIALED for each in first_updates]
    steps = [
        replace(step, opening=opening, void=None)
        for step, opening in zip(mixed, openings, strict=False)
    ]
    return after_turn_s(replace(record, steps=tuple(steps)))(rng or Random(1))


def waited(count, p50_s, p95_s):
    return Quantiles(count=count, p50_s=p50_s, p95_s=p95_s, p99_s=p95_s, max_s=p95_s)


def test_without_steps_nothing_is_known_and_without_updates_only_the_dialing():
    assert after()(3.0, 0.5) == 0.0
    assert after(None)(3.0, 0.5) == pytest.approx(0.03)


def test_the_wait_is_drawn_as_the_step_with_most_updates_had_it():
    wait_s = after(waited(20, 0.1, 0.3), waited(200, 0.2, 0.4))

    assert wait_s(3.0, 0.5) == pytest.approx(0.03 + 0.2)
    assert wait_s(3.0, 0.95) == pytest.approx(0.03 + 0.4)


@pytest.mark.parametrize("seed", range(5))
def test_all_who_wait_are_served_at_the_next_of_the_common_moments(seed):
    wait_s = after(waited(20, 0.1, 0.1), waited(200, 0.2, 0.4), rng=Random(seed))
    waits = [wait_s(turn_s, 0.5) for turn_s in TURNS_S]
    moments = [turn_s + each for turn_s, each in zip(TURNS_S, waits, strict=True)]

    assert len({round(at, 6) for at in moments}) in {2, 3}
    assert all(
        later == pytest.approx(earlier) or later - earlier == pytest.approx(0.4)
        for earlier, later in pairwise(moments)
    )
    assert all(0.03 <= each < 0.43 for each in waits)


def quick(count, p50_s):
    return Quantiles(count=count, p50_s=p50_s, p95_s=0.02, p99_s=0.03, max_s=0.04)


def opened(first=None, *, is_mix=True, void=None, **phases):
    opening = {name: quick(9, p50_s) for name, p50_s in phases.items()}
    if first is not None:
        opening["first_data"] = first
    return SimpleNamespace(step=SimpleNamespace(is_mix=is_mix), opening=opening, void=void)


def test_what_follows_a_turn_is_the_handshake_and_the_first_update_of_most_clients():
    steps = [
        opened(quick(5, 0.01), tcp=9.0),
        opened(quick(90, 0.01), tcp=0.001, tls=0.002, first_confirmed=7.0),
        opened(quick(99, 0.01), is_mix=False, tcp=8.0),
        opened(quick(99, 0.01), void="late", tcp=8.0),
        opened(tcp=8.0),
    ]
    wait_s = after_turn_s(SimpleNamespace(steps=steps))(Random(1))

    assert [wait_s(1.0, share) for share in (0.5, 0.95, 0.99, 1.0)] == pytest.approx(
        [0.013, 0.023, 0.033, 0.043]
    )
