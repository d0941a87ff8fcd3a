from locust.argument_parser import get_empty_argument_parser
from locust.env import Environment

import pytest

from capacity.loadgen.arguments import add_arguments, options_of


@pytest.fixture
def parser():
    parser = get_empty_argument_parser(add_help=False)
    add_arguments(parser)
    return parser


def test_the_options_have_the_bundled_target_and_the_safe_profile_as_defaults(parser):
    options = parser.parse_args([])

    assert ("demo", "safe", "") == (
        options.capacity_target,
        options.capacity_profile,
        options.capacity_run,
    )


def test_the_command_line_goes_before_the_environment(parser, monkeypatch):
    monkeypatch.setenv("LOCUST_CAPACITY_TARGET", "of-environment")
    monkeypatch.setenv("LOCUST_CAPACITY_PROFILE", "of-environment")
    options = parser.parse_args(["--capacity-target", "of-line"])

    assert ("of-line", "of-environment") == (options.capacity_target, options.capacity_profile)


def test_the_web_form_offers_target_and_profile_but_no_path_to_write_to(parser):
    ours = {name for name in parser.args_included_in_web_ui if name.startswith("capacity")}

    assert {"capacity_profile", "capacity_target"} == ours


def test_the_web_form_offers_the_names_there_are_and_what_the_operator_gave(parser):
    options = parser.parse_args(["--capacity-target", "./own.yaml"])
    choices = {
        kind: list(parser.args_included_in_web_ui[f"capacity_{kind}"].choices)
        for kind in ("target", "profile")
    }

    assert "./own.yaml" == options.capacity_target
    assert {"demo", "./own.yaml"} <= set(choices["target"])
    assert {"safe", "quick"} <= set(choices["profile"])
    assert 1 == choices["target"].count("demo")


def test_an_environment_keeps_the_options_it_was_made_with(parser):
    options = parser.parse_args(["--capacity-run", "here"])

    assert "here" == options_of(Environment(parsed_options=options)).capacity_run
