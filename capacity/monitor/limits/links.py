"""How much the interfaces can send: line speed, or the rate that their discipline lets out.

The smaller of the two counts. A shaper whose rate cannot be read leaves the limit unknown, even
where the line's speed is known: the speed is an upper bound only, and would be taken for the truth.
"""

import errno
from collections.abc import Callable, Iterable, Iterator

from capacity.domain.resources import AuditEntry, Limit, Resource, Scaling
from capacity.monitor.host.network_namespace import inside_namespace, is_own_namespace
from capacity.monitor.host.procfs import parse_interfaces, read_number, read_text
from capacity.monitor.host.qdisc import Qdisc, root_qdiscs
from capacity.monitor.host.target import TargetView
from capacity.monitor.limits.entries import audited, failing
from capacity.monitor.limits.states import known, unknown, unlimited
from capacity.monitor.readings import READ_ERRORS

LOOPBACK = "lo"
_BYTES_PER_S_PER_MEGABIT = 125_000
_OTHER_SHAPERS = frozenset({"cake", "cbq", "hfsc", "htb", "netem"})


def link_limit(names: Iterable[str], target: TargetView, sys: str = "/sys") -> Limit:
    """Return what *names* can send together: unknown as soon as one of them is."""
    rates = []
    source = "rtnetlink: queueing disciplines"
    try:
        qdiscs = _qdiscs(target)
        for name in sorted(names):
            source = _speed_path(name, sys)
            rate = _least_rate(name, qdiscs, target, sys)
            if rate is None:
                why = "the loopback has no line speed"
                return unlimited(Resource.NETWORK_OUT, "namespace", why)
            rates.append(rate)
    except READ_ERRORS as error:
        return unknown(Resource.NETWORK_OUT, "host", source, error)
    total_bytes_per_s = sum(rate for rate, _, _ in rates)
    scope = "namespace" if any(scope == "namespace" for _, scope, _ in rates) else "host"
    source = ", ".join(source for _, _, source in rates)
    return known(Resource.NETWORK_OUT, total_bytes_per_s, scope, source)


def link_entries(target: TargetView, sys: str = "/sys") -> Iterator[AuditEntry]:
    """Yield speed and shaping of every link in the target's network namespace."""
    traffic = parse_interfaces(read_text(f"{target.proc}/{target.root}/net/dev"))
    qdiscs, error = {}, None
    try:
        qdiscs = _qdiscs(target)
    except READ_ERRORS as refusal:
        error = refusal
    for name in sorted(traffic):
        if name != LOOPBACK:
            yield _entry(
                f"line speed of {name}", _speed_path(name, sys), "host", _speed(name, target, sys)
            )
        shaped = failing(error) if error else _shaped(name, qdiscs)
        yield _entry(f"egress rate of {name}", _shaping(name), "namespace", shaped)


def _entry(name: str, source: str, scope: str, read: Callable[[], float | None]) -> AuditEntry:
    return audited(
        name,
        read,
        unit="bytes_per_s",
        scope=scope,
        source=source,
        scales_with=Scaling.TRAFFIC,
        resource=Resource.NETWORK_OUT,
    )


def _speed(name: str, target: TargetView, sys: str) -> Callable[[], float]:
    return lambda: line_bytes_per_s(name, target, sys)


def _shaped(name: str, qdiscs: dict[str, Qdisc]) -> Callable[[], float | None]:
    return lambda: shaped_bytes_per_s(name, qdiscs)


def _least_rate(
    name: str, qdiscs: dict[str, Qdisc], target: TargetView, sys: str
) -> tuple[float, str, str] | None:
    """Return rate, scope and source of one link; None for a loopback that is not shaped."""
    rates: list[tuple[float, str, str]] = []
    shaped = shaped_bytes_per_s(name, qdiscs)
    if shaped is not None:
        rates.append((shaped, "namespace", _shaping(name)))
    if name != LOOPBACK:
        try:
            rates.append((line_bytes_per_s(name, target, sys), "host", _speed_path(name, sys)))
        except READ_ERRORS:
            if not rates:
                raise
    return min(rates, default=None)


def line_bytes_per_s(name: str, target: TargetView, sys: str = "/sys") -> float:
    """Return the line speed of *name*; OSError where it does not say."""
    if not is_own_namespace(target.root, target.proc):
        why = "the target is in another network namespace: declare the link's speed"
        raise OSError(errno.ENODATA, why)
    try:
        megabits_per_s = read_number(_speed_path(name, sys))
    except OSError as error:
        if error.errno != errno.EINVAL:  # Of a virtual link, or one that is down.
            raise
        megabits_per_s = 0
    if megabits_per_s <= 0:
        why = f"{name} does not say its speed, as virtual links do not: declare it"
        raise OSError(errno.ENODATA, why)
    return float(megabits_per_s * _BYTES_PER_S_PER_MEGABIT)


def shaped_bytes_per_s(name: str, qdiscs: dict[str, Qdisc]) -> float | None:
    """Return what a token bucket lets out; None where nothing shapes; OSError: by what we cannot say."""
    qdisc = qdiscs.get(name)
    if qdisc is None:
        return None
    if qdisc.kind in _OTHER_SHAPERS:
        why = (
            f"the {qdisc.kind} queueing discipline of {name} may cap it at a rate that is not read"
        )
        raise OSError(errno.ENODATA, f"{why}: declare it")
    return qdisc.rate_bytes_per_s


def _qdiscs(target: TargetView) -> dict[str, Qdisc]:
    try:
        with inside_namespace(target.root, target.proc):
            return root_qdiscs()
    except (FileNotFoundError, PermissionError) as error:
        why = "the target is in another network namespace, which only root may enter"
        raise OSError(errno.ENODATA, f"{why}: declare the link's speed") from error


def _speed_path(name: str, sys: str) -> str:
    return f"{sys}/class/net/{name}/speed"


def _shaping(name: str) -> str:
    return f"rtnetlink: root queueing discipline of {name} (tc qdisc show dev {name})"
