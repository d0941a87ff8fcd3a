"""Subscribers at one message a second from one worker: what is lost, how late, at what cost.

`make bench` has 5,000, prints the table and writes reports/benchmarks/subscribers.json; another number is
given as the argument, and is written to a file of its own. Everything runs on this machine, the exchange as
one process; the figures are those of the run's plateau.
"""

import json
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from statistics import mean

import yaml
from rich.console import Console
from rich.table import Table

from capacity.cli.measure import measure
from capacity.cli.running.bundled import start_bundled_target
from capacity.domain.run import RunRecord
from capacity.recording.run_directory import load

USUAL = 5000
SUBSCRIBERS = int(sys.argv[1]) if len(sys.argv) > 1 else USUAL
OUTPUT = Path(
    "reports/benchmarks/subscribers" + (".json" if SUBSCRIBERS == USUAL else f"_{SUBSCRIBERS}.json")
)
PROFILE = {
    "profile": 1,
    "name": "subscribers",
    "kind": "ramp",
    "levels": [SUBSCRIBERS],
    "connects_per_s": 500,
    "settle_s": 3,
    "plateau_s": 30,
    "ramp_timeout_s": 120,
    "mix": {"subscriptions_per_connection": 1, "requests_per_s_per_connection": 0.0},
}


def main() -> None:
    with tempfile.TemporaryDirectory() as directory, ExitStack() as stack:
        folder = Path(directory)
        target = start_bundled_target(
            stack,
            folder,
            ["--descriptor-limit", str(SUBSCRIBERS + 1000), "--updates-per-s", "1"],
            {"channels": ["book"]},  # Numbered: a missing update shows.
        )
        profile = folder / "profile.yaml"
        profile.write_text(yaml.safe_dump(PROFILE), encoding="utf-8")
        record = load(measure(target, profile, workers=1, run=folder / "run"))
    figures = figures_of(record)
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    OUTPUT.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    table = Table("what", "measured", title=f"{SUBSCRIBERS} subscribers, one worker")
    for name, value in figures.items():
        table.add_row(name, f"{value:,.4g}" if isinstance(value, float) else str(value))
    Console().print(table)


def figures_of(record: RunRecord) -> dict[str, float | int]:
    """Return the figures of the step with all subscribers."""
    step = record.steps[-1]
    assert step.load is not None
    assert step.plateau_started_at is not None
    assert step.plateau_ended_at is not None
    assert step.generator is not None
    assert step.delivery_delay is not None
    plateau = [
        sample
        for sample in record.samples
        if step.plateau_started_at <= sample.at <= step.plateau_ended_at
    ]
    return {
        "connections": step.load.connections,
        "deliveries_per_s": step.load.deliveries_per_s,
        "updates_lost": step.gaps,
        "connections_lost": step.lost,
        "unmatched_frames": step.unmatched,
        "generator_lag_p95_ms": step.generator.lag_p95_s * 1000,
        "generator_cpu_cores": step.generator.cpu_ratio,
        "delivery_delay_p50_ms": step.delivery_delay.p50_s * 1000,
        "delivery_delay_p99_ms": step.delivery_delay.p99_s * 1000,
        "agent_cpu_cores": mean(sample.gauges["agent_cpu_cores"] for sample in plateau),
        "target_cpu_cores": mean(sample.used["cpu"] for sample in plateau),  # type: ignore[index]
        "target_sockets": max(sample.used.get("application_connections", 0) for sample in plateau),  # type: ignore[call-overload]
    }


if __name__ == "__main__":
    main()
