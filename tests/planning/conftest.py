"""Runs with planted costs: what a target with known baselines and unit costs would have recorded."""

import runpy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest

from capacity.domain.load import LoadStep, LoadVector
from capacity.domain.observation import GeneratorHealth, StepObservation
from capacity.domain.resource_facts import COUNTED
from capacity.domain.resources import Limit, LimitState, Resource
from capacity.domain.run import ClockOffset, RunManifest, RunRecord
from capacity.domain.sample import AgentInfo, Sample
from capacity.domain.target import TargetSpec
from capacity.workload.profiles.profile import Mix, Pace, mixed_step, ramp_steps

RECORDS = runpy.run_path(str(Path(__file__).parents[1] / "bare_records.py"))
observation_of = RECORDS["observation_of"]

MIX = Mix(subscriptions_per_connection=2, requests_per_s_per_connection=0.02, poll_interval_s=1.0)
PACE = Pace(connects_per_s=100.0, ramp_timeout_s=60.0, settle_s=3.0, plateau_s=12.0)
STARTED_AT = 1_700_000_000.0
TARGET_STARTED_AT = STARTED_AT - 500.0
UPDATES_PER_S = 5.0
"""Of each subscribed channel."""


def crossed_steps(
    highest: int = 245, levels: int = 4, mix: Mix = MIX, pace: Pace = PACE
) -> tuple[LoadStep, ...]:
    """Return an idle and a subscribed step at each level, every other of each with polls."""
    steps = [replace(mixed_step(0, mix, pace), is_mix=False)]
    for level in range(1, levels + 1):
        full = mixed_step(highest * level // levels, mix, pace)
        silent = replace(full, requests_per_s=0.0, is_mix=False)
        if level % 2:
            steps += [replace(silent, subscriptions_per_connection=0), full]
        else:
            polled = replace(full, subscriptions_per_connection=0, is_mix=False)
            steps += [polled, full if level == levels else silent]
    return tuple(steps)


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Truth about one resource: use at no load, of a connection, a delivery/s, a request/s."""

    baseline: float
    connection: float = 0.0
    delivery: float = 0.0
    request: float = 0.0
    handshake: float = 0.0
    noise: float = 0.0
    """Relative standard deviation of a sample."""
    spike: float = 0.0
    """Added to one sample in twelve: a garbage collection, a neighbour's burst."""
    collection: float = 0.0
    """Share of the use that a garbage collection adds to the sample in which it falls."""
    collected_share: float = 1 / 12
    """Of samples with a garbage collection."""
    step_noise: float = 0.0
    """Relative standard deviation of a whole step: the same for all of its samples."""

    def use(self, load: LoadVector) -> float:
        return (
            self.baseline
            + self.connection * load.connections
            + self.delivery * load.deliveries_per_s
            + self.request * load.requests_per_s
            + self.handshake * load.handshakes_per_s
        )

    def ceiling(self, limit: float, mix: Mix = MIX) -> float:
        deliveries = mix.subscriptions_per_connection * UPDATES_PER_S
        marginal = (
            self.connection
            + self.delivery * deliveries
            + self.request * mix.requests_per_s_per_connection
        )
        mean_ratio = 1.0 + self.collection * self.collected_share
        return (limit / mean_ratio - self.baseline) / marginal


@dataclass(frozen=True, kw_only=True)
class Planted:
    """A target and a run on it."""

    costs: Mapping[Resource, Cost]
    limits: Mapping[Resource, float]
    steps: Sequence[LoadStep] = field(default_factory=crossed_steps)
    seed: int = 1
    clock_offset_s: float = 0.0
    beat_s: float = 1.0
    restarts_at: Sequence[int] = ()
    """Indices of steps before which the target restarts."""

    def record(self) -> RunRecord:
        random = np.random.default_rng(self.seed)
        observations, samples = [], []
        now, life = STARTED_AT, TARGET_STARTED_AT
        for index, step in enumerate(self.steps):
            begin = now + step.settle_s
            end = begin + step.plateau_s
            if index in self.restarts_at:
                life = now + self.clock_offset_s
            observations.append(observation(index, step, begin, end))
            shifts = {
                name: cost.step_noise * random.standard_normal() if cost.step_noise else 0.0
                for name, cost in self.costs.items()
            }
            while now < end:
                now += self.beat_s
                samples.append(self._sample(len(samples), now, life, step, random, shifts))
        limits = tuple(
            Limit(
                resource=resource,
                state=LimitState.KNOWN,
                value=value,
                scope="process",
                source=f"/planted/{resource}",
            )
            for resource, value in self.limits.items()
        )
        return RunRecord(
            manifest=manifest(limits, tuple(self.steps), self.clock_offset_s),
            steps=tuple(observations),
            samples=tuple(samples),
            histograms={},
            events=(),
            missing=(),
        )

    def _sample(
        self,
        seq: int,
        now: float,
        life: float,
        step: LoadStep,
        random: np.random.Generator,
        shifts: Mapping[Resource, float],
    ) -> Sample:
        load = load_of(step)
        used = {}
        for resource, cost in self.costs.items():
            value = cost.use(load) * (1.0 + cost.noise * random.standard_normal())
            value += cost.spike * (random.random() < 1 / 12)
            value *= 1.0 + shifts[resource]
            if cost.collection:
                value *= 1.0 + cost.collection * (random.random() < cost.collected_share)
            used[resource] = float(round(value)) if resource in COUNTED else value
        return Sample(
            seq=seq,
            at=now + self.clock_offset_s,
            interval_s=self.beat_s,
            used=used,
            gauges={},
            counters={},
            missing={},
            target_started_at=life,
        )


def load_of(step: LoadStep) -> LoadVector:
    deliveries = step.connections * step.subscriptions_per_connection * UPDATES_PER_S
    return LoadVector(
        connections=float(step.connections),
        deliveries_per_s=deliveries,
        delivered_bytes_per_s=deliveries * 200.0,
        requests_per_s=step.requests_per_s,
        handshakes_per_s=step.churn_per_s,
    )


def observation(index: int, step: LoadStep, begin: float, end: float) -> StepObservation:
    return observation_of(
        step,
        index=index,
        started_at=begin - step.settle_s,
        plateau_started_at=begin,
        plateau_ended_at=end,
        load=load_of(step),
        generator=GeneratorHealth(workers=1, lag_p95_s=0.002, cpu_ratio=0.3, descriptors_ratio=0.1),
    )


def manifest(
    limits: tuple[Limit, ...], steps: tuple[LoadStep, ...], clock_offset_s: float
) -> RunManifest:
    return RECORDS["manifest_of"](
        product_version="0",
        run="planted",
        started_at=STARTED_AT,
        steps=steps,
        agent=AgentInfo(
            agent_version="0",
            host="planted",
            kernel="6",
            cores=8,
            memory_bytes=8 << 30,
            boot_id="",
            target_name="planted",
            target_pids=(1,),
            target_started_at=TARGET_STARTED_AT,
            limits=limits,
            now=STARTED_AT + clock_offset_s,
        ),
        clock_offset=ClockOffset(offset_s=clock_offset_s, error_s=0.001),
    )


@pytest.fixture(scope="session")
def planted() -> type[Planted]:
    return Planted


@pytest.fixture(scope="session")
def cost() -> type[Cost]:
    return Cost


@pytest.fixture(scope="session")
def venue() -> Planted:
    """An instance that runs out of descriptors at 985, long before memory and its event loop."""
    return Planted(
        costs={
            Resource.DESCRIPTORS: Cost(baseline=15, connection=1.0, request=1.0),
            Resource.MEMORY: Cost(baseline=60e6, connection=60e3, delivery=500.0, noise=0.002),
            Resource.EVENT_LOOP: Cost(
                baseline=0.01, connection=1e-5, delivery=4e-5, request=5e-4, noise=0.03, spike=0.05
            ),
        },
        limits={
            Resource.DESCRIPTORS: 1020.0,
            Resource.MEMORY: 256e6,
            Resource.EVENT_LOOP: 1.0,
        },
    )


@pytest.fixture(scope="session")
def ramp() -> Callable[..., Sequence[LoadStep]]:
    """Steps with the full mix only, whose costs cannot be told apart."""
    return lambda *levels: ramp_steps(levels=levels, mix=MIX, pace=PACE)


@pytest.fixture(scope="session")
def safe() -> Callable[..., Sequence[LoadStep]]:
    """Steps of the safe profile with plateaus of the asked length."""
    return lambda plateau_s, levels=4: crossed_steps(
        levels=levels, pace=replace(PACE, plateau_s=plateau_s)
    )


@pytest.fixture
def gaining(planted, cost, ramp):
    """Return a record of a process that gains so much of each resource for a connection."""

    def record(*levels, base=15, agent=None, gauges=None, **per_connection):
        costs = {
            Resource(name): cost(baseline=base, connection=each)
            for name, each in per_connection.items()
        }
        costs[Resource.MEMORY] = cost(baseline=60e6, connection=60e3)
        steps = ramp(*(levels or (100, 200, 400)))
        made = planted(costs=costs, limits={Resource.MEMORY: 256e6}, steps=steps).record()
        samples = tuple(replace(sample, gauges=gauges or {}) for sample in made.samples)
        manifest = replace(
            made.manifest,
            target=TargetSpec(port=25100),
            agent=replace(made.manifest.agent, **(agent or {})),
        )
        return replace(made, manifest=manifest, samples=samples)

    return record
