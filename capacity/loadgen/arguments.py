"""The options that Locust gets from us: on its command line, in its configuration, in its web form."""

from locust.argument_parser import LocustArgumentParser
from locust.env import Environment

from argparse import Namespace


def options_of(environment: Environment) -> Namespace:
    """Return the parsed options, which every environment that Locust's command makes has."""
    assert environment.parsed_options is not None
    return environment.parsed_options


def add_arguments(parser: LocustArgumentParser, **_kwargs: object) -> None:
    """Add our options. Called again at each page of the web UI: cheap and without effects."""
    parser.add_argument(
        "--capacity-target",
        env_var="LOCUST_CAPACITY_TARGET",
        default="demo",
        help="Target: name under config/targets, or a file",
    )
    parser.add_argument(
        "--capacity-profile",
        env_var="LOCUST_CAPACITY_PROFILE",
        default="safe",
        help="Load profile: name under config/profiles, or a file",
    )
    parser.add_argument(
        "--capacity-run",
        env_var="LOCUST_CAPACITY_RUN",
        default="",
        include_in_web_ui=False,
        help="Run directory; by default a new one under reports/runs",
    )
    parser.add_argument(
        "--capacity-resume",
        env_var="LOCUST_CAPACITY_RESUME",
        default="",
        include_in_web_ui=False,
        help="Run directory of an earlier `break` run whose limit search to continue",
    )
