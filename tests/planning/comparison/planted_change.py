"""Runs of one build and of another that is dearer by a known share, for what compares them."""

import runpy
from dataclasses import replace
from pathlib import Path

from capacity.domain.observation import Quantiles
from capacity.domain.resources import Resource
from capacity.domain.run import RunEvent
from capacity.domain.target import TargetSpec
from capacity.planning.comparison.run_costs import MeasuredRun
from capacity.planning.plan import plan

written = runpy.run_path(str(Path(__file__).parents[2] / "written_run.py"))["write_run"]
PLANTING = runpy.run_path(str(Path(__file__).parents[1] / "conftest.py"))
Cost, Planted = PLANTING["Cost"], PLANTING["Planted"]
TARGET = {
    "name": "planted",
    "host": "127.0.0.1",
    "port": 8080,
    "dialect": "deribit",
    "symbols": ["BTC-PERPETUAL"],
    "channels": ["ticker"],
    "agent": {"url": "http://127.0.0.1:9101"},
    "limits": {},
}
PROFILE = {"name": "safe", "kind": "safe", "mix": {"subscriptions_per_connection": 2}}


def record(
    seed,
    *,
    memory=1.0,
    cpu=1.0,
    cpu_noise=0.01,
    memory_noise=0.002,
    run_noise=0.0,
    descriptors=1020.0,
    memory_limit=256e6,
    delay_s=None,
    name=None,
    profile=None,
    target=None,
    **planting,
):
    """Return a run of a target that costs *memory* and *cpu* times as much for each connection.

    *run_noise* is what a whole run differs by, relative and as a standard deviation.
    """
    import numpy as np

    own = 1.0 + run_noise * np.random.default_rng(seed + 7_000_000).standard_normal(2)
    m, c = memory * own[0], cpu * own[1]
    made = Planted(
        costs={
            Resource.DESCRIPTORS: Cost(baseline=15, connection=1.0, request=1.0),
            Resource.MEMORY: Cost(
                baseline=60e6, connection=60e3 * m, delivery=500.0 * m, noise=memory_noise
            ),
            Resource.EVENT_LOOP: Cost(
                baseline=0.01,
                connection=1e-5 * c,
                delivery=4e-5 * c,
                request=5e-4 * c,
                noise=cpu_noise,
            ),
        },
        limits={
            Resource.DESCRIPTORS: descriptors,
            Resource.MEMORY: memory_limit,
            Resource.EVENT_LOOP: 1.0,
        },
        seed=seed,
        **planting,
    ).record()
    steps = made.steps
    if delay_s is not None:
        random = np.random.default_rng(seed + 9_000_000)
        steps = tuple(
            replace(
                step, delivery_delay=quantiles(delay_s * (1.0 + 0.05 * random.standard_normal()))
            )
            if step.step.subscriptions_per_connection and step.step.connections
            else step
            for step in steps
        )
    ended = RunEvent(at=made.manifest.started_at + 600.0, kind="finished", detail={})
    manifest = replace(
        made.manifest,
        run=name or f"run-{seed}",
        target=TargetSpec.from_document(TARGET | (target or {})),
        profile=PROFILE | (profile or {}),
    )
    return replace(made, manifest=manifest, steps=steps, events=(ended,))


def quantiles(p99_s):
    return Quantiles(count=1000, p50_s=p99_s / 4, p95_s=p99_s / 2, p99_s=p99_s, max_s=p99_s * 2)


def measured(seed, **changes):
    made = record(seed, **changes)
    return MeasuredRun(record=made, plan=plan(made))
