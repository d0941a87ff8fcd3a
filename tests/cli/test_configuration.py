import json

import pytest
from click.testing import CliRunner

from capacity.cli.configuration import command
from capacity.domain.errors import ConfigError


def run(*arguments):
    return CliRunner().invoke(command, arguments, catch_exceptions=False).stdout


def test_a_shipped_profile_is_shown_with_its_defaults_and_no_origin():
    lines = run("show", "profile", "safe").splitlines()

    assert 'name: "safe"' in lines
    assert not any("#" in line for line in lines)


def test_origins_are_lines_or_the_default():
    text = run("show", "job", "nightly", "--origin")

    assert 'name: "nightly"  # ' in text
    assert "nightly.yaml:3" in text
    assert "rules: null  # default" in text


def test_json_has_every_value_with_its_origin():
    document = json.loads(run("show", "target", "demo", "--json"))

    assert document["file"].endswith("demo.yaml")
    assert {"key", "value", "origin"} == set(document["settings"][0])


def test_a_name_that_is_not_there_is_told():
    with pytest.raises(ConfigError, match="did you mean demo"):
        run("show", "target", "dem")
