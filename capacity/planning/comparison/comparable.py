"""Whether runs may be compared at all: the same target, asked for the same, read by the same means."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from capacity.domain.run import RunManifest
from capacity.domain.words import printable

_OUR_AGENT = ("url", "listen", "local")
"""Ways to the same readings."""
_LONGEST = 120


def difference(before: RunManifest, after: RunManifest) -> str | None:
    """Return what makes the two incomparable, as "the target's dialect: …"; None if nothing does."""
    for name, of in _IDENTITY.items():
        one, other = of(before), of(after)
        if one != other:
            return f"{name}: {_shown(one)} in {before.run}, {_shown(other)} in {after.run}"
    return None


def circumstances(runs: Sequence[RunManifest]) -> tuple[str, ...]:
    """Return in words what else differs among the runs, and may explain a change."""
    return tuple(
        f"{name} differ: {' and '.join(sorted({_shown(of(run)) for run in runs}))}"
        for name, of in _CIRCUMSTANCES.items()
        if len({_shown(of(run)) for run in runs}) > 1
    )


def source_of(run: RunManifest) -> str:
    """Return where the samples came from: agent, prometheus, exporters, or none."""
    given = run.target.document.get("agent")
    if not isinstance(given, Mapping):
        return "none" if run.agent is None else "agent"
    named = [name for name, value in given.items() if value and not name.endswith("_file")]
    kinds = {"agent" if name in _OUR_AGENT else name for name in named}
    return ", ".join(sorted(kinds & {"agent", "prometheus", "exporters"})) or "none"


def _of_target(key: str) -> Callable[[RunManifest], Any]:
    return lambda run: run.target.document.get(key)


def _dialect(run: RunManifest) -> Any:
    return _name_of(run.target.document.get("dialect"))


def _private(run: RunManifest) -> Any:
    given = run.target.document.get("private")
    if not isinstance(given, Mapping):
        return None
    return {key: value for key, value in given.items() if key != "values"} | {
        "dialect": _name_of(given.get("dialect"))
    }


def _name_of(dialect: Any) -> Any:
    # Of a path its last part: the same file may lie elsewhere on another machine.
    is_text = isinstance(dialect, str)
    return dialect.rsplit("/", 1)[-1].removesuffix(".yaml") if is_text else dialect


def _mix(run: RunManifest) -> dict[str, Any]:
    mix = run.profile.get("mix")
    kept = (
        {key: value for key, value in mix.items() if key != "slow_read_bytes_per_s"}
        if isinstance(mix, Mapping)
        else {}
    )
    if not kept.get("orders_per_s_per_connection"):
        kept.pop("orders_per_s_per_connection", None)  # Runs of before know no orders.
    if kept.get("slow_readers_ratio") and isinstance(mix, Mapping):
        kept["slow_read_bytes_per_s"] = mix.get("slow_read_bytes_per_s")
    return kept


_IDENTITY: Mapping[str, Callable[[RunManifest], Any]] = {
    "the target's name": _of_target("name"),
    "the target's dialect": _dialect,
    "the target's symbols": _of_target("symbols"),
    "the target's channels": _of_target("channels"),
    "the target's private connections": _private,
    "TLS": lambda run: bool(run.target.document.get("tls")),
    "the target's REST endpoint": _of_target("rest"),
    "the kind of profile": lambda run: run.profile.get("kind"),
    "the mix": _mix,
    "the source of the samples": source_of,
}
_CIRCUMSTANCES: Mapping[str, Callable[[RunManifest], Any]] = {
    "versions of this program": lambda run: run.product_version,
    "hosts of the target": lambda run: None if run.agent is None else run.agent.host,
    "cores of the target's host": lambda run: None if run.agent is None else run.agent.cores,
    "kernels of the target's host": lambda run: None if run.agent is None else run.agent.kernel,
    "numbers of the target's processes": lambda run: (
        None if run.agent is None else len(run.agent.target_pids)
    ),
    "hosts of the load generator": lambda run: run.generator.get("host"),
    "profiles": lambda run: run.profile.get("name"),
}


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)
    return printable(text, _LONGEST)
