"""The recorded example run with a drill behind it, as `storms.jsonl` would have it."""

from dataclasses import replace
from pathlib import Path

from capacity.domain.answers.storm_drill import UPGRADED, DialAttempt, Retry, StormDrill
from capacity.recording.run_directory import load

RUN = Path(__file__).parents[3] / "reports" / "example"
AT_ONCE = ((0.0, 0.0), (0.1, 0.1))


def make_drill(record, **changes):
    """Return a drill in which 100 of 200 clients come back through a bucket of 100/s and 17."""
    let_in_s = [0.0002 * (n + 1) + max(0, n - 16) / 100.0 for n in range(100)]
    began_at = record.steps[-1].plateau_ended_at + 1.0
    settings = {
        "number": 0,
        "began_at": began_at,
        "ended_at": began_at + 4.0,
        "habit": Retry(policy="immediate", waits_s=AT_ONCE),
        "connections": 200,
        "cut": 100,
        "handshake_timeout_s": 10.0,
        "longest_s": 60.0,
        "attempts": tuple(
            DialAttempt(began_s=0.0, ended_s=ended_s, outcome=UPGRADED) for ended_s in let_in_s
        ),
        "restored_s": tuple(let_in_s),
        "delay_before": None,
        "delay_during": None,
        "latency_before": None,
        "latency_during": None,
        "stayed_lost": 0,
        "lag_p95_s": 0.01,
    }
    return StormDrill(**{**settings, **changes})


def recorded_with(*changes):
    """Return the example's record with a drill for each set of *changes*."""
    record = load(RUN)
    drills = tuple(make_drill(record, **{"number": n, **each}) for n, each in enumerate(changes))
    return replace(record, storms=drills)
