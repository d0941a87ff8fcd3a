"""A guard saves a target: servers that really die of a limit live through a safe run, and the plan
names the wall; the same servers are killed where nobody guards them.

Each server takes so much for a connection that its own limit ends it. Needs root for cgroups.
"""

import functools
import os
import resource
import runpy
from pathlib import Path

import pytest

FRAGILE = runpy.run_path(str(Path(__file__).with_name("fragile.py")))
pytestmark = [pytest.mark.end_to_end, pytest.mark.long, pytest.mark.xdist_group("fragile")]

MIX = {"subscriptions_per_connection": 2, "requests_per_s_per_connection": 0.0}
UNGUARDED = {
    "profile": 1,
    "name": "unguarded",
    "kind": "ramp",
    "levels": [60, 180, 540],
    "connects_per_s": 100,
    "settle_s": 0.5,
    "plateau_s": 1,
    "ramp_timeout_s": 4,
    "mix": MIX,
}
CLIMB = {
    "profile": 1,
    "name": "climb",
    "kind": "safe",
    "connects_per_s": 400,
    "settle_s": 1,
    "plateau_s": 4,
    "ramp_timeout_s": 15,
    "mix": MIX,
}
MIB = 1 << 20
ACCURACY = 0.1


@pytest.fixture(name="scene")
def fixture_scene(tmp_path):
    with FRAGILE["Scene"](tmp_path) as scene:
        yield scene


class Planted:
    """A limit, and how a server is started under it."""

    def __init__(self, scene, kind):
        self._scene = scene
        self.wall = kind
        if kind == "memory":
            _needs("memory")
            self._arguments = ("--each-kib", 256)
            self._prepare = self._in_cgroup("memory", memory__limit_in_bytes=96 * MIB)
        elif kind == "threads":
            _needs("pids")
            self._arguments = ("--thread-each",)
            self._prepare = self._in_cgroup("pids", pids__max=300)
        else:
            self._arguments = ("--each-kib", 512)
            self._prepare = _in_address_space

    def start(self):
        return self._scene.target(*self._arguments, prepare=self._prepare)

    def _in_cgroup(self, controller, **limits):
        group = self._scene.cgroup(controller, **limits)
        return lambda: _enter(group)


def _needs(controller):
    reason = FRAGILE["why_no_cgroup"](controller)
    if reason is not None:
        pytest.skip(reason)


def _enter(group):
    (group / "cgroup.procs").write_text(str(os.getpid()))


def _in_address_space():
    resource.setrlimit(resource.RLIMIT_AS, (200 * MIB, 200 * MIB))


def connections_until_it_dies(scene, target):
    """Have the target killed by a run without guards; return how many it held then."""
    measuring = scene.measure(target, UNGUARDED)

    assert 4 == measuring.end(), measuring.said
    FRAGILE["eventually"](lambda: not target.is_alive, "the target is dead", 5)
    assert "exited at about" in measuring.last_sentence
    return measuring.record.steps[-1].connections_peak


@pytest.mark.parametrize(
    "kind",
    [
        "memory",
        pytest.param("threads", marks=pytest.mark.thorough),
        pytest.param("address_space", marks=pytest.mark.thorough),
    ],
)
def test_a_safe_run_ends_in_time_and_names_the_wall_that_kills_it_otherwise(scene, kind):
    planted = Planted(scene, kind)
    spared, doomed = planted.start(), planted.start() if kind == "address_space" else None
    measuring = scene.measure(spared)
    code = measuring.end()
    held = max(step.connections_peak for step in measuring.record.steps)
    _out, _code, document = measuring.planned()
    plan = document["plan"]

    assert code in {0, 12}, measuring.said
    assert spared.is_alive

    spared.close()
    killed_at = connections_until_it_dies(scene, doomed or planted.start())
    print(f"{kind}: {plan['capacity']['mid']:.0f} from {held}, killed at {killed_at}")

    assert held < killed_at
    assert kind == plan["binding"]
    assert ACCURACY >= abs(plan["capacity"]["mid"] / killed_at - 1)


def test_a_bend_that_no_level_foretold_kills_only_where_nobody_guards(scene):
    """Up to 60 connections cost 20 KiB each, further ones 620: about 177 are beyond memory."""
    _needs("memory")
    spared, doomed = (
        scene.target(
            *("--each-kib", 20, "--bend", 60, "--bent-kib", 600),
            prepare=functools.partial(
                _enter, scene.cgroup("memory", memory__limit_in_bytes=86 * MIB)
            ),
        )
        for _ in range(2)
    )
    measuring = scene.measure(spared, CLIMB)
    code = measuring.end()
    _out, _code, document = measuring.planned()
    cut = measuring.record.steps[-1].cut_off

    # Where a noisy machine has it climb in smaller steps, it sees the bend and goes no further.
    assert code in {0, 12}, measuring.said
    assert spared.is_alive
    assert "memory" == document["plan"]["binding"]
    if code == 12:
        assert cut.statement in measuring.last_sentence
        assert 60 <= document["plan"]["capacity"]["low"] <= cut.connections

    killed_at = connections_until_it_dies(scene, doomed)
    print(f"bend: killed at {killed_at}, spared at {cut.connections if cut else 'no cut'}")
