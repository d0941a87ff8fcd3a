"""What a simulated run is told: target, profile, dialect, steps, and who the agent is."""

from functools import cache

from capacity.domain.load import LoadStep
from capacity.domain.sample import AgentInfo
from capacity.settings.dialect import load_dialect
from capacity.settings.locate import find
from capacity.settings.profile import ADAPTER as PROFILES
from capacity.settings.target import Target as TargetSettings


@cache
def dialect_here(*_arguments):
    return load_dialect(find("dialects", "deribit"))


@cache
def target_settings(*_arguments):
    return TargetSettings.model_validate(
        {
            "target": 1,
            "name": "simulated",
            "host": "127.0.0.1",
            "port": 1,
            "dialect": "deribit",
            "symbols": ["BTC-PERPETUAL"],
            "channels": ["ticker"],
        }
    )


@cache
def profile_here(*_arguments):
    return PROFILES.validate_python(
        {"profile": 1, "name": "simulated", "kind": "ramp", "levels": [4], "plateau_s": 1}
    )


def step(connections, **changes):
    return LoadStep(
        **{
            "connections": connections,
            "subscriptions_per_connection": 1,
            "requests_per_s": 0.0,
            "connects_per_s": 40.0,
            "ramp_timeout_s": 5.0,
            "settle_s": 0.3,
            "plateau_s": 1.0,
            "is_mix": connections > 0,
            **changes,
        }
    )


AGENT_INFO = AgentInfo(
    agent_version="0",
    host="target",
    kernel="0",
    cores=2,
    memory_bytes=2**30,
    boot_id="target",
    target_name="target",
    target_pids=(1,),
    target_started_at=1.0,
    limits=(),
    now=0.0,
)
