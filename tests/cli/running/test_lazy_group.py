"""Commands that are imported when they are used."""

import sys

import click
import pytest

from capacity.cli.running.lazy_group import LazyGroup


@pytest.fixture
def group():
    return LazyGroup(
        "some",
        commands_told={"profile": "list profiles", "past": "tell the history"},
        package="capacity.cli",
        modules={"past": "scheduling.history"},
    )


def test_a_command_is_the_module_of_its_name_or_the_one_told(group):
    context = click.Context(group)
    for name, module in (
        ("profile", "capacity.cli.profile"),
        ("past", "capacity.cli.scheduling.history"),
    ):
        command = group.get_command(context, name)

        assert sys.modules[module].command is command


def test_what_is_not_told_is_no_command(group):
    assert group.get_command(click.Context(group), "plan") is None
    assert ["past", "profile"] == group.list_commands(click.Context(group))


def test_the_help_says_of_each_what_it_does_and_imports_none(group, monkeypatch):
    monkeypatch.delitem(sys.modules, "capacity.cli.profile", raising=False)
    shown = group.get_help(click.Context(group))

    assert "profile  list profiles" in shown
    assert "capacity.cli.profile" not in sys.modules
