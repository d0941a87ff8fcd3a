"""The demo's own parts; the whole of it is proved end to end."""

import resource

import yaml
from click.testing import CliRunner

from capacity.cli.demo import command, load_break_settings
from capacity.domain.errors import PreflightError
from capacity.settings.profile import load_profile


def test_the_breaking_run_takes_any_start_below_its_limit(tmp_path):
    profile = tmp_path / "break.yaml"
    settings = {**load_break_settings(), "start": 10, "limit": 12}
    profile.write_text(yaml.safe_dump(settings))

    assert load_profile(profile).kind == "break"


def test_more_descriptors_than_this_machine_gives_are_refused_in_words(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    result = CliRunner().invoke(command, ["--descriptor-limit", str(hard + 1)])

    assert isinstance(result.exception, PreflightError)
    assert f"the exchange did not start: --descriptor-limit {hard + 1}" in str(result.exception)
