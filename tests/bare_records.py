"""Steps, runs, a plan and a demand in which nothing is remarkable, where a test cares about some of it only."""

from capacity.domain.answers.sizing import Demand
from capacity.domain.answers.storm_drill import Retry
from capacity.domain.estimates import Estimate
from capacity.domain.load import LoadStep, LoadVector
from capacity.domain.observation import StepObservation
from capacity.domain.plan import CapacityPlan, GeneratorVerdict
from capacity.domain.resources import Resource
from capacity.domain.run import LoadPoint, RunManifest
from capacity.domain.target import TargetSpec


def step_of(connections=10, **told):
    """Return a step of the full mix, a subscription each and a request a second, changed as told."""
    usual = {
        "subscriptions_per_connection": 1,
        "requests_per_s": 1.0,
        "connects_per_s": 10.0,
        "ramp_timeout_s": 5.0,
        "settle_s": 1.0,
        "plateau_s": 4.0,
        "is_mix": True,
    }
    return LoadStep(connections=connections, **(usual | told))


def observation_of(step, **told):
    """Return a *step* that was held to its end without a failure, changed as told."""
    usual = {
        "index": 0,
        "started_at": 1.0,
        "plateau_started_at": 2.0,
        "plateau_ended_at": 3.0,
        "load": None,
        "users": step.connections,
        "connections_peak": step.connections,
        "connects": step.connections,
        "failures": {},
        "lost": 0,
        "gaps": 0,
        "unmatched": 0,
        "delivery_delay": None,
        "request_latency": None,
        "handshake_time": None,
        "generator": None,
        "void": None,
    }
    return StepObservation(step=step, **(usual | told))


def manifest_of(**told):
    """Return what a run without an agent says at its beginning, changed as told."""
    usual = {
        "format_version": 1,
        "product_version": "0.1.0",
        "run": "any",
        "started_at": 1.0,
        "target": TargetSpec(),
        "profile": {"name": "tiny"},
        "steps": (),
        "audited_bound": None,
        "audited_by": None,
        "agent": None,
        "clock_offset": None,
        "generator": {},
        "same_host": False,
    }
    return RunManifest(**(usual | told))


def point_of(**told):
    """Return a moment of the first plateau in which nothing is open, changed as told."""
    usual = {
        "at": 1.0,
        "index": 0,
        "phase": "plateau",
        "users": 1,
        "open_connections": 0,
        "deliveries_per_s": 0.0,
        "requests_per_s": 0.0,
        "failures": 0,
    }
    return LoadPoint(**(usual | told))


def plan_of(**told):
    """Return a plan of 590 connections that descriptors bound, changed as told."""
    usual = {
        "run": "any",
        "capacity": Estimate(low=580.0, mid=590.0, high=600.0, confidence=0.9),
        "safe_capacity": 582,
        "binding": Resource.DESCRIPTORS,
        "mix": LoadVector(
            connections=1.0,
            deliveries_per_s=1.0,
            delivered_bytes_per_s=30.0,
            requests_per_s=0.0,
            handshakes_per_s=0.0,
        ),
        "ladder": (),
        "no_ceiling": (),
        "highest_connections": 118,
        "extrapolation_ratio": 5.0,
        "condition_number": 2.0,
        "generator": GeneratorVerdict(
            is_trustworthy=True,
            statement="The generator was idle.",
            worst_lag_p95_s=0.001,
            worst_cpu_ratio=0.1,
            void_steps=(),
        ),
        "doubts": (),
    }
    return CapacityPlan(**(usual | told))


def demand_of(**told):
    """Return a demand of ten instances at a peak that does not grow, changed as told."""
    usual = {
        "name": "peak",
        "connections": 5000.0,
        "as_of_at": 0.0,
        "size_for_at": None,
        "growth_per_month": None,
        "deliveries_per_s": None,
        "requests_per_s": None,
        "headroom_ratio": 0.2,
        "lost_instances": 1,
        "zones": 1,
        "lost_zones": 0,
        "host": None,
        "instances": 10,
        "retry": Retry(policy="fixed", waits_s=((1.0, 1.0),)),
        "handshake_timeout_s": 10.0,
        "reconnect_window_s": None,
    }
    return Demand(**(usual | told))
