"""What an agent says of itself and samples, where a test cares about some of it only."""

from capacity.domain.sample import AgentInfo, Sample
from capacity.sources.border import SAMPLE


def agent_info(**told):
    """Return what an agent says of its host and its target, changed as told."""
    usual = {
        "agent_version": "0.1.0",
        "host": "venue",
        "kernel": "6.1",
        "cores": 2,
        "memory_bytes": 1,
        "boot_id": "b",
        "target_name": "exchange",
        "target_pids": (1,),
        "target_started_at": 5.0,
        "limits": (),
        "now": 1000.0,
    }
    return AgentInfo(**(usual | told))


def sample_of(seq=1, **told):
    """Return a sample without a reading, at its number in seconds, of a target that lives; changed as told."""
    usual = {
        "seq": seq,
        "at": float(seq),
        "interval_s": 1.0,
        "used": {},
        "gauges": {},
        "counters": {},
        "missing": {},
        "target_started_at": 1.0,
    }
    return Sample(**(usual | told))


def lines(*numbers, begin_at=1000.0):
    """Return samples with these numbers, one a second and without a reading, as they are pushed."""
    return b"".join(
        SAMPLE.dump_json(sample_of(n, at=begin_at + n, target_started_at=5.0)) + b"\n"
        for n in numbers
    )
