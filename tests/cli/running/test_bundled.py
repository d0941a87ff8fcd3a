"""The bundled exchange and its agent as children of one command."""

from contextlib import ExitStack

import requests

from capacity.cli.running.bundled import start_bundled_target
from capacity.settings.target import load_target

TIMEOUT_S = 30.0


def test_the_target_file_names_an_exchange_and_its_agent_which_end_with_the_block(tmp_path):
    with ExitStack() as stack:
        path = start_bundled_target(
            stack, tmp_path, ["--descriptor-limit", "300"], {"channels": ["book"]}
        )
        target = load_target(path)
        base = f"http://{target.host}:{target.port}"
        status = requests.get(f"{base}/status", timeout=TIMEOUT_S).json()
        info = requests.get(f"{target.agent.url}/v1/info", timeout=TIMEOUT_S).json()
        limits = {limit["resource"]: limit["value"] for limit in info["limits"]}

    assert status["descriptor_limit"] == limits["descriptors"] == 300
    assert target.channels == ("book",)
    assert [is_reachable(url) for url in (base, target.agent.url)] == [False, False]


def is_reachable(url):
    try:
        requests.get(url, timeout=TIMEOUT_S)
    except requests.ConnectionError:
        return False
    return True
