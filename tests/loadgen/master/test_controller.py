"""Whole tiny runs with Locust's own runners against the real exchange."""

import runpy
from itertools import pairwise
from pathlib import Path
from statistics import median

import gevent
import pytest

from capacity.domain.resources import Resource
from capacity.settings.profile import ADAPTER

LOCAL_RUNS = runpy.run_path(str(Path(__file__).with_name("local_runs.py")))
PATIENCE_S = LOCAL_RUNS["PATIENCE_S"]
_quick_and_with_limits_as_before = LOCAL_RUNS["_quick_and_with_limits_as_before"]
profile = LOCAL_RUNS["profile"]
two_levels = LOCAL_RUNS["two_levels"]
local_run = LOCAL_RUNS["local_run"]
start_run = LOCAL_RUNS["start_run"]
end_of = LOCAL_RUNS["end_of"]
at_plateau = LOCAL_RUNS["at_plateau"]
UPDATES_PER_S = 10
"""Of each instrument on each of its channels, at the exchange of all tests."""


@pytest.fixture(scope="module")
def recorded(exchange, agent, target_file, tmp_path_factory):
    """The record of a whole run, and the run."""
    path = tmp_path_factory.mktemp("whole") / "run"
    with local_run(target_file(exchange, agent.url), profile(), path) as run:
        yield run.to_its_end(), run


def test_a_whole_run_leaves_a_record_with_the_load_that_was_planted(recorded):
    record, run = recorded

    assert ("finished", {}) == end_of(record)
    assert () == record.missing
    assert 0 == run.controller.exit_code
    assert [None] * 3 == [step.void for step in record.steps]
    assert [0, 2, 4] == [step.load.connections for step in record.steps]
    assert [0, 2, 4] == [step.connections_peak for step in record.steps]
    assert [0, 2, 2] == [step.connects for step in record.steps]
    assert [{}, {}, {}] == [step.failures for step in record.steps]
    for step in record.steps:
        connections = step.step.connections
        followed = 2 * UPDATES_PER_S * connections
        assert pytest.approx(followed, rel=0.15) == step.load.deliveries_per_s
        assert pytest.approx(2 * connections, rel=0.3) == step.load.requests_per_s
        assert 0.99 < step.plateau_ended_at - step.plateau_started_at < 1.3
        assert 0 == step.lost == step.gaps == step.unmatched


def test_the_record_names_the_hosts_of_the_workers(recorded):
    [host] = recorded[0].manifest.generator["hosts"].values()

    assert (1, 0.0) == (host["workers"], host["clock_offset_s"])


def test_histograms_and_quantiles_of_a_step_tell_the_same(recorded):
    for step in recorded[0].steps[1:]:
        for series in ("delivery_delay", "request_latency"):
            quantiles = getattr(step, series)
            histogram = recorded[0].histograms[step.index, series]
            assert histogram.total == quantiles.count > 0
            assert histogram.quantile_us(0.5) / 1e6 == quantiles.p50_s < 0.2


def test_a_user_holds_each_connection_and_pollers_come_on_top(recorded):
    pollers = 4  # 4 connections with 2 polls a second each, every poller twice a second at least.

    assert [2 + pollers, 4 + pollers] == [step.users for step in recorded[0].steps[1:]]


def test_phases_follow_one_another(recorded):
    phases = [event for event in recorded[0].events if event.kind == "phase"]
    told = [(event.detail["index"], event.detail["phase"]) for event in phases]

    assert [(n, phase) for n in (0, 1, 2) for phase in ("ramp", "settle", "plateau")] == told


def test_samples_cover_every_plateau_and_show_its_connections(recorded):
    used = []
    for step in recorded[0].steps:
        covered = [
            sample.used[Resource.DESCRIPTORS]
            for sample in recorded[0].samples
            if step.plateau_started_at <= sample.at <= step.plateau_ended_at
        ]
        assert 8 <= len(covered) <= 13
        used.append(max(covered))
    idle = used[0]

    assert all(
        step.step.connections <= held - idle <= step.step.connections + 5
        for step, held in zip(recorded[0].steps, used, strict=True)
    )


def test_the_load_is_noted_once_a_second(recorded):
    points = recorded[0].points

    assert len(points) >= 3
    gaps_s = [b.at - a.at for a, b in pairwise(points)]
    assert min(gaps_s) > 0.9
    assert median(gaps_s) < 1.5
    assert {0, 2, 4} >= {point.open_connections for point in points if point.phase == "plateau"}


def test_connections_per_user_spare_users_not_connections(exchange, target_file, start_run):
    descriptors = Path(f"/proc/{exchange.pid}/fd")
    before = len(list(descriptors.iterdir()))
    no_polls = {"subscriptions_per_connection": 1, "requests_per_s_per_connection": 0}
    run = start_run(target_file(exchange), two_levels(3, 6, connections_per_user=3, mix=no_polls))
    run.until(at_plateau(1))
    held = len(list(descriptors.iterdir())) - before
    last = run.to_its_end().steps[-1]
    with gevent.Timeout(PATIENCE_S):  # The load is gone when the run is over.
        while len(list(descriptors.iterdir())) > before:
            gevent.sleep(0.02)

    assert (2, 6, 6) == (last.users, last.load.connections, held)


@pytest.mark.parametrize(
    "slow_polls",
    [
        {"poll_interval_s": 3},
        {"mix": {"subscriptions_per_connection": 2, "requests_per_s_per_connection": 200}},
    ],
    ids=["the first of each poller comes before", "pollers are many"],
)
def test_time_in_which_the_generator_lets_nobody_connect_is_no_part_of_a_ramps_time(
    start_exchange, target_file, start_run, slow_polls
):
    settings = profile(levels=[2, 4], ramp_timeout_s=1, plateau_s=1, **slow_polls)
    record = start_run(target_file(start_exchange()), settings).to_its_end()

    assert ("finished", {}) == end_of(record)
    assert [0, 2, 4] == [step.connections_peak for step in record.steps]


def test_polls_that_come_one_by_one_are_all_there_before_they_are_measured(
    start_exchange, start_agent, target_file, start_run
):
    exchange = start_exchange()
    agent = start_agent("--pid", exchange.pid)
    steps = [{"connections": 3, "requests_per_s_per_connection": each} for each in (0, 4)]
    changed = {"kind": "sequence", "steps": steps, "poll_interval_s": 3}
    settings = ADAPTER.validate_python(profile().model_dump(exclude={"levels", "storm"}) | changed)
    record = start_run(target_file(exchange, agent.url), settings).to_its_end()
    polling = record.steps[-1]
    used = [
        sample.used[Resource.DESCRIPTORS]
        for sample in record.samples
        if polling.plateau_started_at <= sample.at <= polling.plateau_ended_at
    ]

    assert len(used) >= 3
    assert 1 == len(set(used))
