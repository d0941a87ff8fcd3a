"""The demo's own parts; the whole of it is proved end to end."""

import contextlib
import resource

import requests
import yaml
from click.testing import CliRunner

from capacity.cli.demo import _start_target, command, load_break_settings
from capacity.domain.errors import PreflightError
from capacity.settings.profile import load_profile
from capacity.settings.target import load_target

TIMEOUT_S = 5.0


def test_the_target_file_names_an_exchange_and_its_agent_which_end_with_the_block(tmp_path):
    with contextlib.ExitStack() as stack:
        target = load_target(_start_target(stack, tmp_path, 300))
        base = f"http://{target.host}:{target.port}"
        status = requests.get(f"{base}/status", timeout=TIMEOUT_S).json()
        info = requests.get(f"{target.agent.url}/v1/info", timeout=TIMEOUT_S).json()
        limits = {limit["resource"]: limit["value"] for limit in info["limits"]}

    assert status["descriptor_limit"] == limits["descriptors"] == 300
    assert [is_reachable(url) for url in (base, target.agent.url)] == [False, False]


def is_reachable(url):
    try:
        requests.get(url, timeout=TIMEOUT_S)
    except requests.ConnectionError:
        return False
    return True


def test_the_breaking_run_takes_any_start_below_its_limit(tmp_path):
    profile = tmp_path / "break.yaml"
    settings = {**load_break_settings(), "start": 10, "increment": 1, "limit": 12}
    profile.write_text(yaml.safe_dump(settings))

    assert load_profile(profile).kind == "break"


def test_more_descriptors_than_this_machine_gives_are_refused_in_words(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    result = CliRunner().invoke(command, ["--descriptor-limit", str(hard + 1)])

    assert isinstance(result.exception, PreflightError)
    assert f"the exchange did not start: --descriptor-limit {hard + 1}" in str(result.exception)
