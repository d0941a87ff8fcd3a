"""What is asked of an agent is not asked of exporters: they have no version of ours and no cost."""

import runpy
from pathlib import Path

import pytest

from capacity.domain.answers.finding import Status
from capacity.loadgen.checks.doctor import Examination
from capacity.settings.profile import ADAPTER

wsgi_servers = runpy.run_path(str(Path(__file__).parents[2] / "wsgi_servers.py"))["wsgi_servers"]


@pytest.fixture
def metrics_url(exchange):
    """Yield the URL of a page that says of the exchange what a client library would."""

    def answer(_environ, start_response):
        opened = len(list(Path(f"/proc/{exchange.pid}/fd").iterdir()))
        start_response("200 OK", [])
        page = (
            f"process_open_fds {opened}\nprocess_max_fds 20000\nprocess_start_time_seconds 1.7e9\n"
        )
        return [page.encode()]

    with wsgi_servers() as start:
        yield start(answer)


def test_nobody_is_told_to_install_an_agent_of_the_same_version(
    exchange, target_file, metrics_url, tmp_path, monkeypatch, root
):
    (tmp_path / "config").symlink_to(root / "config")
    monkeypatch.chdir(tmp_path)
    target = target_file(exchange, agent={"exporters": {"urls": [metrics_url]}})
    profile = ADAPTER.validate_python({"profile": 1, "name": "tiny", "kind": "ramp", "levels": [2]})
    findings = {finding.name: finding for finding in Examination(target, profile, 1).findings()}

    assert Status.OK is findings["agent"].status
    assert "pid" not in findings["agent"].statement
    assert not {"agent version", "agent overhead", "accept queue"} & set(findings)
    assert findings["limits"].remedy.startswith("Use `capacity agent`")
