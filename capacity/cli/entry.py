"""What the program `capacity` starts: the agent with nothing but psutil, all else through Click."""

import importlib
import sys

from capacity.cli.running.standard_streams import no_room_told, prepare
from capacity.domain.errors import PreflightError


def main() -> None:
    """Run the command that the arguments name, and end the process with its exit code."""
    prepare()
    with no_room_told():
        _carry_out()


def _carry_out() -> None:
    try:
        if sys.argv[1:2] == ["agent"]:
            sys.exit(importlib.import_module("capacity.monitor.agent").main(sys.argv[2:]))
        importlib.import_module("capacity.cli.main").main()
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("capacity"):
            raise
        sys.stderr.write(
            f"capacity: the module {error.name} is not installed; `capacity agent` needs psutil, every "
            "other command what comes with the package: install it without --no-deps\n"
        )
        sys.exit(PreflightError.exit_code)


if __name__ == "__main__":
    main()
