"""`capacity completion SHELL`: the script that has a shell complete commands, options and names."""

from collections.abc import Callable

import click
from click.shell_completion import get_completion_class

from capacity.settings.locate import names_of

SHELLS = ("bash", "fish", "zsh")
VARIABLE = "_CAPACITY_COMPLETE"


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
def command(shell: str) -> None:
    r"""Print what has SHELL complete commands, options, targets, profiles, demands and jobs.

    \b
    bash: echo 'eval "$(capacity completion bash)"' >> ~/.bashrc
    zsh:  echo 'eval "$(capacity completion zsh)"' >> ~/.zshrc
    fish: capacity completion fish > ~/.config/fish/completions/capacity.fish
    """
    found = get_completion_class(shell)
    assert found is not None, "Click knows all three"
    click.echo(found(click.Group(), {}, "capacity", VARIABLE).source())


def names(kind: str) -> Callable[[click.Context, click.Parameter, str], list[str]]:
    """Return what completes the names of a folder of config/, for `shell_complete` of a parameter."""

    def completed(_context: click.Context, _parameter: click.Parameter, begun: str) -> list[str]:
        return [name for name in names_of(kind) if name.startswith(begun)]

    return completed
