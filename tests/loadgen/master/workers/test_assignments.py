from dataclasses import replace
from types import SimpleNamespace

import msgpack
import pytest

from capacity.domain.load import LoadStep
from capacity.loadgen.checks.preflight import check
from capacity.loadgen.client.clients import Clients
from capacity.loadgen.client.slots.slow_reader import SlowReader
from capacity.loadgen.master.workers.assignments import (
    careful_rate_per_s,
    instructions_of,
    is_careful,
    stage_of,
    watched_of,
)
from capacity.loadgen.protocol.instructions import RunInstructions
from capacity.settings.profile import ADAPTER
from capacity.workload.profiles.profile import START, Phase, Position


def step_of(connections):
    return LoadStep(
        connections=connections,
        subscriptions_per_connection=0,
        requests_per_s=0.0,
        connects_per_s=50.0,
        ramp_timeout_s=1.0,
        settle_s=1.0,
        plateau_s=1.0,
        is_mix=False,
    )


def test_a_worker_can_begin_with_what_comes_over_the_wire(exchange, target_file):
    target = target_file(exchange)
    profile = ADAPTER.validate_python(
        {"profile": 1, "name": "tiny", "kind": "ramp", "levels": [2], "connections_per_user": 7}
        | {"mix": {"slow_readers_ratio": 1.0}}
    )
    orders = instructions_of(target, profile, check(target, profile, workers=1))
    clients = Clients(
        RunInstructions.from_message(msgpack.unpackb(msgpack.packb(orders.as_message())))
    )
    (slot,) = clients.join(1, lambda: None)
    clients.close()

    assert 7 == clients.connections_per_user
    assert target == clients.target
    assert isinstance(slot, SlowReader)


def test_a_careful_ramp_takes_several_samples():
    steps = [step_of(connections) for connections in (0, 60, 60, 1000, 60)]

    assert [50.0, 60 / 6.0, 50.0, 50.0, 50.0] == [
        careful_rate_per_s(steps, index) for index in range(len(steps))
    ]


def test_only_a_careful_run_ends_after_failures_of_which_each_worker_gets_its_share():
    def most_failures(connections, shares, **changes):
        return stage_of(START, step_of(connections), shares, **changes).most_failures

    assert most_failures(100, 2) is None
    # Twenty, or a twentieth of the connections; one at least.
    assert [10, 10, 10, 25, 1] == [
        most_failures(connections, shares, is_careful=True)
        for connections, shares in ((100, 2), (400, 2), (419, 2), (1000, 2), (100, 30))
    ]


def test_a_stage_is_one_workers_share_of_its_step():
    step = replace(
        step_of(100), requests_per_s=8.0, churn_per_s=2.0, orders_per_s=6.0, plateau_s=9.0
    )
    held, ramp = (
        stage_of(Position(index=3, phase=phase, since_s=0.0), step, 4)
        for phase in (Phase.PLATEAU, Phase.RAMP)
    )

    assert (3, "plateau", 2.0, 12.5, 0.5, 1.5, 9.0) == (
        held.index,
        held.phase,
        held.requests_per_s,
        held.connects_per_s,
        held.churn_per_s,
        held.orders_per_s,
        held.hold_s,
    )
    assert ("ramp", 0.0) == (ramp.phase, ramp.hold_s)


def test_a_careful_ramp_is_no_faster_than_its_step_and_the_first_one_begins_at_nothing():
    steps = [step_of(connections) for connections in (30, 1030, 1029)]

    assert [5.0, 50.0, 50.0] == [careful_rate_per_s(steps, index) for index in range(3)]


def profile_of(kind, **changes):
    plain = {"profile": 1, "name": "tiny", "kind": kind}
    return ADAPTER.validate_python(plain | ({"levels": [2]} if kind == "ramp" else {}) | changes)


@pytest.mark.parametrize(
    ("profile", "is_slow"),
    [
        (profile_of("ramp"), False),
        (profile_of("safe"), True),
        (profile_of("safe", arrivals="together"), False),
    ],
)
def test_arrivals_begin_slowly_in_a_safe_run_unless_their_storm_is_what_is_asked_for(
    profile, is_slow
):
    assert is_slow is is_careful(profile)


@pytest.mark.parametrize("offset_s", [None, 0.25])
def test_workers_are_told_what_the_profile_and_the_clocks_say(exchange, target_file, offset_s):
    target = target_file(exchange)
    profile = profile_of("ramp", worker_memory_mib=16, freshness={"poll_interval_s": 2.0})
    offset = None if offset_s is None else SimpleNamespace(offset_s=offset_s)
    preflight = SimpleNamespace(
        dialect=check(target, profile_of("ramp"), workers=1).dialect,
        private_dialect=None,
        clock_offset=offset,
    )
    user_classes = SimpleNamespace(slow_readers_ratio=0.5, has_slow_class=True)
    orders, others = (
        instructions_of(target, profile, preflight, user_classes),
        instructions_of(target, profile, preflight),
    )
    watched = watched_of(profile, preflight)

    assert 16 << 20 == orders.most_memory_bytes
    assert 16 == len(orders.run)
    assert orders.run != others.run
    assert (offset_s or 0.0) == orders.clock_offset_s == watched.clock_offset_s
    assert 2.0 == orders.freshness_poll_interval_s == watched.poll_interval_s
    assert (0.5, True) == (orders.slow_readers_ratio, orders.has_slow_class)
    assert (0.0, False) == (others.slow_readers_ratio, others.has_slow_class)
    assert watched_of(profile_of("ramp"), preflight) is None
    assert instructions_of(target, profile_of("ramp"), preflight).freshness_poll_interval_s is None
