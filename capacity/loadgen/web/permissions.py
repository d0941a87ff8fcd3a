"""What may be set from the page: targets and profiles by name, never a path, and what the operator
allowed when Locust was started. Everything else is as it was started with.
"""

from argparse import Namespace
from collections.abc import Collection, Mapping
from pathlib import Path

from capacity.domain.errors import CapacityError, ConfigError, without_content
from capacity.loadgen.run_path import RUNS
from capacity.settings.locate import find, names_of
from capacity.settings.profile import BreakProfile, load_profile
from capacity.settings.target import load_target

BREAK, RUN, RESUME = "break", "run", "resume"
ALLOWABLE = (BREAK, RUN, RESUME)
OF_LOCUSTS_FORM = frozenset(
    {"user_count", "spawn_rate", "host", "run_time", "user_classes", "shape_class", "profile"}
)
_PATHS = {"capacity_run": RUN, "capacity_resume": RESUME}


class Permissions:
    def __init__(self, options: Namespace, in_the_form: Collection[str]) -> None:
        """Take the *options* as Locust was started, and the names of those that its form shows."""
        self._started = dict(vars(options))
        self._in_the_form = OF_LOCUSTS_FORM | set(in_the_form)
        wanted = str(self._started.get("capacity_web_allow", "")).replace(",", " ").split()
        unknown = [word for word in wanted if word not in ALLOWABLE]
        if unknown:
            raise ConfigError(
                f"--capacity-web-allow {' '.join(unknown)}: choose among {', '.join(ALLOWABLE)}"
            )
        self.allowed = frozenset(wanted)

    def offered(self, kind: str) -> list[str]:
        """Return the names of *kind* (targets, profiles) to choose from, the operator's own first."""
        own = str(self._started.get(f"capacity_{kind.removesuffix('s')}", ""))
        return list(dict.fromkeys([*filter(None, [own]), *names_of(kind)]))

    def check_locusts(self, form: Mapping[str, str]) -> None:
        """Raise ConfigError unless Locust's own form may set what is in *form*."""
        for key in form:
            if key not in self._in_the_form:
                raise ConfigError(f"{_shown(key)} cannot be set from the page")
        self.options_from(form)

    def options_from(self, form: Mapping[str, str]) -> dict[str, str]:
        """Return our options as *form* sets them. Raises ConfigError without content of files."""
        options = {}
        for kind in ("target", "profile"):
            option = f"capacity_{kind}"
            options[option] = self._name_from(kind, form.get(option, self._started[option]))
        for option, word in _PATHS.items():
            options[option] = self._started[option]
            if form.get(option):
                options[option] = self._path_from(option, word, form[option])
        self._check(options["capacity_target"], options["capacity_profile"])
        return options

    def _name_from(self, kind: str, value: str) -> str:
        offered = self.offered(f"{kind}s")
        if value not in offered:
            raise ConfigError(
                f"there is no {kind} {_shown(value)}; choose one of {', '.join(offered)}"
            )
        return value

    def _path_from(self, option: str, word: str, value: str) -> str:
        if word not in self.allowed:
            raise ConfigError(
                f"{option} can be set from the page only where Locust was started with"
                f" --capacity-web-allow {word}"
            )
        if not value.replace("-", "").replace("_", "").isalnum() or not value.isascii():
            raise ConfigError(f"{option}: a name under {RUNS}, of letters, digits, dashes")
        return str(Path(RUNS) / value)

    def _check(self, target: str, profile: str) -> None:
        try:
            load_target(find("targets", target))
            settings = load_profile(find("profiles", profile))
        except CapacityError as error:
            raise ConfigError(without_content(error)) from error
        is_own = profile == self._started["capacity_profile"]
        if isinstance(settings, BreakProfile) and BREAK not in self.allowed and not is_own:
            raise ConfigError(
                f"profile {profile} searches for the limit by breaking the target; it can be started"
                f" from the page only where Locust was started with --capacity-web-allow {BREAK}"
            )


def _shown(text: str) -> str:
    return repr(text[:60])
