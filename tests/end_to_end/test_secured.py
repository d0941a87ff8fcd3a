"""Whole short measurements of the bundled exchange where it speaks TLS, and behind a proxy too."""

import runpy
from contextlib import ExitStack
from pathlib import Path

import pytest
import yaml

from capacity.cli.measure import measure
from capacity.cli.running.children import running
from capacity.recording.run_directory import load
from capacity.reporting.steps import opening_section

pytestmark = [pytest.mark.end_to_end, pytest.mark.long]

LOADGEN = Path(__file__).parents[1] / "loadgen"
TLS = runpy.run_path(str(LOADGEN / "tls_target.py"))
ConnectProxy = runpy.run_path(str(LOADGEN / "connect_proxy.py"))["ConnectProxy"]
PROFILE = {
    "profile": 1,
    "name": "tiny",
    "kind": "ramp",
    "levels": [20],
    "connects_per_s": 50,
    "arrivals": "poisson",
    "settle_s": 0.5,
    "plateau_s": 2,
    "ramp_timeout_s": 10,
    "mix": {"subscriptions_per_connection": 1, "requests_per_s_per_connection": 0},
}


@pytest.fixture(name="exchange_port")
def fixture_exchange_port(tmp_path):
    argv = ["-m", "capacity.cli.main", "exchange", "--port", "0", "--updates-per-s", "10"]
    with running("exchange", argv, tmp_path / "exchange.log") as exchange:
        yield int(exchange.wait_ready("exchange ready on ").rpartition(":")[2])


@pytest.mark.parametrize("has_proxy", [False, True], ids=["direct", "through a proxy"])
def test_a_target_that_speaks_tls_is_measured_like_any_other(tmp_path, exchange_port, has_proxy):
    authority = TLS["Authority"](tmp_path / "authority")
    certificate, key = authority.certificate("DNS:generator.example")
    with ExitStack() as stack:
        front = TLS["fronted"](
            exchange_port, authority.certificate("DNS:exchange.example"), authority.file
        )
        stack.callback(front.stop, timeout=0)
        proxy = ConnectProxy()
        stack.callback(proxy.close)
        target = {
            "target": 1,
            "name": "secured",
            "host": "127.0.0.1",
            "port": front.server_port,
            "tls": True,
            "certificates": {
                "ca_file": authority.file,
                "client_certificate_file": certificate,
                "client_key_file": key,
                "server_name": "exchange.example",
            },
            "proxy": proxy.url if has_proxy else None,
            "dialect": "deribit",
            "symbols": ["BTC-PERPETUAL"],
            "channels": ["ticker"],
        }
        for name, content in (("target", target), ("profile", PROFILE)):
            (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(content))
        files = (tmp_path / "target.yaml", tmp_path / "profile.yaml")
        record = load(measure(*files, workers=1, run=tmp_path / "run", timeout_s=60, quiet=True))
    baseline, step = record.steps

    assert {} == {**baseline.failures, **step.failures}
    assert (20, 0, 0) == (step.connects, step.lost, step.gaps)
    assert step.load.deliveries_per_s > 20 * 5
    assert {"tcp", "tls", "upgrade", "subscription", "first_data"} == step.opening.keys() - {
        "proxy"
    }
    assert has_proxy == ("proxy" in step.opening)
    assert {20} == {quantiles.count for quantiles in step.opening.values()}
    assert "TLS, ms" in opening_section(record).table.columns
    assert has_proxy == bool(proxy.asked)
