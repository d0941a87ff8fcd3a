"""Whether the workers, wherever they run, have descriptors, ports and addresses for the load.

Locust gives every worker the same share: the smallest one decides. Descriptors are counted for each
worker; ports for each network namespace, from each of its source addresses to the target.
"""

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any, Protocol

from capacity.domain.errors import PreflightError
from capacity.loadgen.checks.worker_identity import WorkerIdentity
from capacity.loadgen.wire.process_limits import DESCRIPTORS_BESIDE_CONNECTIONS
from capacity.settings.profile import Profile


class BusiestStep(Protocol):
    """What is known of the busiest step that may follow."""

    @property
    def most_requests_per_s(self) -> float: ...

    @property
    def most_orders_per_s(self) -> float: ...


def most_actors(planned: BusiestStep, profile: Profile) -> dict[str, int]:
    """Return how many pollers and traders the busiest step takes, by the rate that they keep up.

    Each has a socket of its own.
    """
    return {
        "requests_per_s": math.ceil(planned.most_requests_per_s * profile.poll_interval_s),
        "orders_per_s": math.ceil(planned.most_orders_per_s * profile.order_interval_s),
    }


def check_sources(sources: Sequence[str], workers: Sequence[WorkerIdentity], here: str) -> None:
    """Raise PreflightError unless each of *sources* has its host, and each host a way to go.

    *here* is the name of this host.
    """
    if not workers:
        return
    hosts = {worker.host for worker in workers}
    everywhere = "this machine" if hosts == {here} else f"a worker's host ({_listed(hosts)})"
    for address in sources:
        if not any(address in worker.addresses for worker in workers):
            raise PreflightError(
                f"source_addresses in the target file: {address} is not an address of {everywhere}; "
                f"add it (ip address add {address} dev INTERFACE) or take it out"
            )
    for worker in workers:
        if worker.trouble is not None:
            place = "" if worker.host == here else f"worker on {worker.host}: "
            raise PreflightError(f"{place}{worker.trouble}")


def check_sockets(sockets: int, workers: Sequence[WorkerIdentity], here: str) -> None:
    """Raise PreflightError when *sockets*, shared evenly, are too many for a worker or its host."""
    if workers:
        _check_descriptors(sockets, workers, here)
        _check_ports(sockets, workers, here)


def most_sockets(workers: Sequence[WorkerIdentity]) -> int | None:
    """Return how many sockets the workers can open when shared evenly, None where nobody knows."""
    if not workers:
        return None
    least = min(workers, key=lambda worker: worker.descriptors)
    counts = Counter(worker.machine for worker in workers)
    bounds = [(least.descriptors - DESCRIPTORS_BESIDE_CONNECTIONS) * len(workers)]
    bounds += [
        worker.ports * max(1, len(worker.addresses)) * len(workers) // counts[worker.machine]
        for worker in workers
    ]
    return max(0, min(bounds))


def hosts_of(workers: Sequence[WorkerIdentity]) -> dict[str, Any]:
    """Return what the record says of each host that offers load, by its name."""
    counts = Counter(worker.host for worker in workers)
    return {
        worker.host: {
            "workers": counts[worker.host],
            "cores": worker.cores,
            "descriptors_per_worker": worker.descriptors,
            "ports": worker.ports,
            "addresses": list(worker.addresses),
            "clock_offset_s": worker.clock.offset_s if worker.clock else None,
            "clock_error_s": worker.clock.error_s if worker.clock else None,
        }
        for worker in workers
    }


def _check_descriptors(sockets: int, workers: Sequence[WorkerIdentity], here: str) -> None:
    least = min(workers, key=lambda worker: worker.descriptors)
    each = least.descriptors - DESCRIPTORS_BESIDE_CONNECTIONS
    if sockets <= each * len(workers):
        return
    at, option = (
        ("", "--workers") if least.host == here else (f" on {least.host}", "--expect-workers")
    )
    needed = f"use {option} {-(-sockets // each)}, or " if each > 0 else ""
    raise PreflightError(
        f"{sockets} connections, including pollers, exceed the {each * len(workers)} descriptors of "
        f"{len(workers)} worker(s) with {least.descriptors} each{at}; "
        f"{needed}raise the hard limit (ulimit -Hn)"
    )


def _check_ports(sockets: int, workers: Sequence[WorkerIdentity], here: str) -> None:
    counts = Counter(worker.machine for worker in workers)
    for worker in workers:
        share = -(-sockets * counts[worker.machine] // len(workers))
        addresses = max(1, len(worker.addresses))
        if share <= worker.ports * addresses:
            continue
        is_here = worker.host == here
        asked = str(sockets) if len(counts) == 1 else f"{share} of {sockets}"
        others = "" if is_here else "; or add workers on more hosts"
        raise PreflightError(
            f"{asked} connections, including pollers, exceed the {worker.ports * addresses} "
            f"ports between {addresses} address(es) of {'this machine' if is_here else worker.host} "
            f"and the target; set at least {-(-share // worker.ports)} source_addresses in the "
            "target file (127.0.1.0/28 towards a target on loopback), or widen "
            f"net.ipv4.ip_local_port_range{others}"
        )


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names))
