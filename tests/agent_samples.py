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


def lines(*numbers, begin_at=1000.0):
    """Return samples with these numbers, one a second and without a reading, as they are pushed."""
    return b"".join(
        SAMPLE.dump_json(
            Sample(
                seq=n,
                at=begin_at + n,
                interval_s=1.0,
                used={},
                gauges={},
                counters={},
                missing={},
                target_started_at=5.0,
            )
        )
        + b"\n"
        for n in numbers
    )
