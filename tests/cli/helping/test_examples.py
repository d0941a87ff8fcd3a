"""Every command has help with an example that its own parser takes, and JSON where it answers."""

import shlex

import click
import pytest

from capacity.cli.helping.examples import EXAMPLES
from capacity.cli.main import cli

SERVES = {"agent", "exchange"}
"""What they print is not an answer; the agent has --json for its --audit."""
TEXT_IS_THE_ANSWER = {
    "completion",
    "demo",
    "dialect explain",
    "dialect init",
    "dialect record",
    "dialect try",
}
"""A script, a story, frames and YAML to read."""


def commands(command=cli, name="", context=None):
    context = context or click.Context(cli, info_name="capacity")
    if not isinstance(command, click.Group):
        return {name: (command, context)}
    found = {}
    for member in command.list_commands(context):
        below = command.get_command(context, member)
        inner = click.Context(below, info_name=member, parent=context)
        found |= commands(below, f"{name} {member}".strip(), inner)
    return found


ALL = commands()


def test_every_command_has_an_example_and_every_example_a_command():
    assert set(EXAMPLES) == set(ALL) - {"agent"}


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_the_example_is_in_the_help_and_the_parser_takes_it(name):
    command, context = ALL[name]
    program, *words = shlex.split(EXAMPLES[name].partition(" >> ")[0])
    parts = name.split()

    assert [program, *words[: len(parts)]] == ["capacity", *parts]
    assert EXAMPLES[name] in command.get_help(context)
    assert command.make_context(parts[-1], words[len(parts) :])


@pytest.mark.parametrize("name", sorted(set(ALL) - SERVES - TEXT_IS_THE_ANSWER))
def test_every_command_that_answers_has_json(name):
    command, _context = ALL[name]

    assert "--json" in {option for each in command.params for option in each.opts}


@pytest.mark.parametrize("name", sorted(ALL))
def test_every_option_says_what_it_does(name):
    command, _context = ALL[name]

    assert command.help
    assert [] == [
        each.name for each in command.params if isinstance(each, click.Option) and not each.help
    ]


def test_the_agents_own_help_has_an_example():
    from capacity.monitor.arguments import parser

    assert "Example: capacity agent --port 8080" in parser().format_help()
