"""
Options of a run that `capacity measure` takes and its Locust process obeys: a row each.

Command line, the process that is started and its own parser are read off these rows; whoever obeys an
option asks Locust's parsed options for `capacity_NAME`.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOption:
    """One option with a text, empty by default: `--NAME` of ours is `--capacity-NAME` of Locust."""

    name: str
    help: str
    metavar: str | None = None
    is_path: bool = False

    @property
    def flag(self) -> str:
        return f"--capacity-{self.name}"

    @property
    def variable(self) -> str:
        """The environment variable that Locust reads it from."""
        return f"LOCUST_CAPACITY_{self.name.upper()}"


RUN_OPTIONS = (
    RunOption(
        name="users",
        metavar="NAMES",
        help="User classes of locustfiles/ that take part, separated by commas, such as"
        " MarketSubscriber,OrderTrader; what they do becomes part of the mix.",
    ),
    RunOption(
        name="run",
        is_path=True,
        help="Run directory to create; by default a new one under reports/runs.",
    ),
    RunOption(
        name="resume",
        is_path=True,
        help="Continue the limit search of this earlier `break` run (writes a new run).",
    ),
)


def as_arguments(given: Mapping[str, object]) -> list[str]:
    """Return Locust's arguments for what is *given* by name; what is empty or None is left out."""
    said = ((option.flag, given.get(option.name)) for option in RUN_OPTIONS)
    return [word for flag, value in said if value for word in (flag, str(value))]
