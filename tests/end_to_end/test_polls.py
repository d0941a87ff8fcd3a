"""A whole short measurement with REST polls over TLS, each on a new connection and conditional."""

import runpy
from pathlib import Path

import pytest
import yaml

from capacity.cli.measure import measure
from capacity.cli.running.children import running
from capacity.recording.run_directory import load
from capacity.reporting.steps import polls_section

pytestmark = [pytest.mark.end_to_end, pytest.mark.long]

TLS = runpy.run_path(str(Path(__file__).parents[1] / "loadgen" / "tls_target.py"))
POLLS_PER_S = 20
PLATEAU_S = 3
PROFILE = {
    "profile": 1,
    "name": "polled",
    "kind": "ramp",
    "levels": [10],
    "connects_per_s": 50,
    "settle_s": 0.5,
    "plateau_s": PLATEAU_S,
    "ramp_timeout_s": 10,
    "poll_interval_s": 0.2,
    "mix": {"subscriptions_per_connection": 1, "requests_per_s_per_connection": POLLS_PER_S / 10},
}


@pytest.mark.parametrize("connections", ["new", "keep_alive"])
def test_polls_over_tls_are_counted_timed_and_aged(tmp_path, connections):
    authority = TLS["Authority"](tmp_path / "authority")
    argv = ["-m", "capacity.cli.main", "exchange", "--port", "0", "--updates-per-s", "2"]
    with running("exchange", argv, tmp_path / "exchange.log") as exchange:
        port = int(exchange.wait_ready("exchange ready on ").rpartition(":")[2])
        front = TLS["fronted"](port, authority.certificate("IP:127.0.0.1"))
        target = {
            "target": 1,
            "name": "polled",
            "host": "127.0.0.1",
            "port": front.server_port,
            "tls": True,
            "certificates": {"ca_file": authority.file},
            "dialect": "deribit",
            "symbols": ["BTC-PERPETUAL"],
            "channels": ["ticker"],
            "rest": {"operation": "ticker", "connections": connections, "conditional": True},
        }
        for name, content in (("target", target), ("profile", PROFILE)):
            (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(content))
        files = (tmp_path / "target.yaml", tmp_path / "profile.yaml")
        record = load(measure(*files, workers=1, run=tmp_path / "run", timeout_s=60, quiet=True))
        front.stop(timeout=0)
    step = record.steps[-1]
    opened = step.request_opening["tls"].count

    assert {} == step.failures
    assert step.load.requests_per_s == pytest.approx(POLLS_PER_S, rel=0.15)
    assert step.request_latency.count == step.not_modified + step.body_age.count
    # Each of four pollers asks five times a second for what changes twice a second.
    assert 0 < step.not_modified < step.request_latency.count
    assert 0 < step.body_age.p50_s < 0.1
    assert opened >= step.request_latency.count if connections == "new" else opened == 4
    assert "TLS, ms" in polls_section(record).table.columns
