"""The bundled exchange and an agent beside it, as child processes on free ports."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import yaml

from capacity.cli.running.children import running
from capacity.settings.locate import find
from capacity.settings.target import load_target

_AGENT = ("-m", "capacity.monitor")


def start_bundled_target(
    stack: ExitStack,
    folder: Path,
    exchange_options: Sequence[str],
    changes: Mapping[str, object] | None = None,
    agent_options: Sequence[str] = (),
) -> Path:
    """Start both until *stack* ends; their logs and the target file returned are in *folder*.

    *changes* replace keys of the shipped target file `demo`.
    Raises PreflightError when one of them does not come up.
    """
    exchange = stack.enter_context(
        running(
            "exchange",
            ["-m", "capacity.cli.main", "exchange", "--port", "0", *exchange_options],
            folder / "exchange.log",
        )
    )
    address = exchange.wait_ready("exchange ready on ")
    agent = stack.enter_context(
        running(
            "agent",
            [*_AGENT, "--pid", str(exchange.process.pid), "--listen", "0", *agent_options],
            folder / "agent.log",
        )
    )
    settings = load_target(find("targets", "demo")).model_dump(mode="json")
    settings["port"] = int(address.rsplit(":", 1)[1])
    settings["agent"]["url"] = agent.wait_ready("agent ready on ")
    settings.update(changes or {})
    target = folder / "target.yaml"
    target.write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
    return target
