"""The options that Locust gets from us: on its command line, in its configuration, in its web form."""

from locust.argument_parser import LocustArgumentParser
from locust.env import Environment

from argparse import Namespace

from capacity.loadgen.run_options import RUN_OPTIONS
from capacity.settings.locate import names_of


class Offered(list[str]):
    """Names to choose from in the web form; the command line takes paths as well."""

    def __contains__(self, value: object) -> bool:
        # What the operator gave is offered too: the form would choose something else by itself.
        if not super().__contains__(value):
            self.append(str(value))
        return True


def options_of(environment: Environment) -> Namespace:
    """Return the parsed options, which every environment that Locust's command makes has."""
    assert environment.parsed_options is not None
    return environment.parsed_options


def users_picked(options: Namespace) -> list[str]:
    """Return the names of the user classes that were picked: in the web form, or by an option."""
    named = getattr(options, "capacity_users", "")
    picked = [name.strip() for name in named.split(",") if name.strip()]
    return picked or list(getattr(options, "user_classes", None) or ())


def add_arguments(parser: LocustArgumentParser, **_kwargs: object) -> None:
    """Add our options. Called again at each page of the web UI: cheap and without effects."""
    parser.add_argument(
        "--capacity-target",
        env_var="LOCUST_CAPACITY_TARGET",
        default="demo",
        choices=Offered(names_of("targets")),
        metavar="NAME",
        help="Target: name under config/targets, or a file",
    )
    parser.add_argument(
        "--capacity-profile",
        env_var="LOCUST_CAPACITY_PROFILE",
        default="safe",
        choices=Offered(names_of("profiles")),
        metavar="NAME",
        help="Load profile: name under config/profiles, or a file",
    )
    for option in RUN_OPTIONS:
        metavar = {} if option.metavar is None else {"metavar": option.metavar}
        parser.add_argument(
            option.flag,
            env_var=option.variable,
            default="",
            include_in_web_ui=False,
            help=option.help,
            **metavar,
        )
    parser.add_argument(
        "--capacity-web-allow",
        env_var="LOCUST_CAPACITY_WEB_ALLOW",
        default="",
        include_in_web_ui=False,
        metavar="WORDS",
        help="What may also be set from the web UI, separated by commas: break (profiles that search"
        " for the limit), run (name of the run), resume (run to go on with)",
    )
    parser.add_argument(
        "--capacity-web-names",
        env_var="LOCUST_CAPACITY_WEB_NAMES",
        default="",
        include_in_web_ui=False,
        metavar="NAMES",
        help="Host names that the web UI is reached under, separated by commas; addresses need none",
    )
