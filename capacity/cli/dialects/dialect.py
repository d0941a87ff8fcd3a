"""`capacity dialect`: a venue described as data, drafted, checked, tried and replayed."""

import click

from capacity.cli.running.lazy_group import LazyGroup

COMMANDS = {
    "explain": "print the exact frames that a dialect sends, and what it makes of answers",
    "init": "draft a dialect and a target file from a recorded session or a HAR file",
    "lint": "check a dialect file, without connecting",
    "record": "record a session with a live server, before there is a dialect",
    "replay": "count what a dialect makes of a recorded session",
    "try": "speak to a live server and show each frame with what was made of it",
}
_MODULES = {"init": "drafting", "try": "trying"}


@click.group(
    "dialect",
    cls=LazyGroup,
    commands_told=COMMANDS,
    package="capacity.cli.dialects",
    modules=_MODULES,
)
def command() -> None:
    """Describe a venue: record or export a session, `init` a draft, `try` it (docs/dialects.md)."""
