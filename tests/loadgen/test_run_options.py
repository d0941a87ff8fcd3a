"""Every option of a run on its whole way: our command line, the process that is started, its parser."""

from locust.argument_parser import get_empty_argument_parser

import pytest

from capacity.cli.measure import command
from capacity.loadgen.arguments import add_arguments
from capacity.loadgen.run_options import RUN_OPTIONS, as_arguments

EACH = pytest.mark.parametrize("option", RUN_OPTIONS, ids=lambda option: option.name)


@pytest.fixture
def parser():
    parser = get_empty_argument_parser(add_help=False)
    add_arguments(parser)
    return parser


@EACH
def test_what_is_given_to_measure_reaches_the_master(option, parser):
    ours = next(each for each in command.params if each.name == option.name)
    arguments = as_arguments({option.name: ours.type_cast_value(None, "here")})

    assert "here" == getattr(parser.parse_args(arguments), f"capacity_{option.name}")


@EACH
def test_what_is_not_given_is_not_said_and_empty_there(option, parser):
    assert [] == as_arguments({option.name: None}) == as_arguments({option.name: ""})
    assert "" == getattr(parser.parse_args([]), f"capacity_{option.name}")


@EACH
def test_an_environment_may_say_it_too(option, parser, monkeypatch):
    monkeypatch.setenv(option.variable, "there")

    assert "there" == getattr(parser.parse_args([]), f"capacity_{option.name}")


@EACH
def test_both_help_texts_are_one_and_no_form_asks_for_it(option, parser):
    ours = next(each for each in command.params if each.name == option.name)

    assert option.help == ours.help
    assert f"capacity_{option.name}" not in parser.args_included_in_web_ui
