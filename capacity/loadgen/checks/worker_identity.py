"""What a process that offers load says of itself and of its host, before any load.

Ports belong to a network namespace and descriptors to a process: both are read where the load will
leave from, which need not be the host that directs it.
"""

import hashlib
import os
import platform
import resource
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from socket import AF_INET, AF_INET6, SOCK_STREAM, socket
from typing import Any, Self

import capacity
from capacity.domain.errors import ConfigError
from capacity.domain.run import ClockOffset
from capacity.loadgen.checks.trial import TRIAL_S
from capacity.loadgen.wire.dialing import dial
from capacity.loadgen.wire.endpoint import endpoint_of
from capacity.loadgen.wire.handshake import failure_reason
from capacity.loadgen.wire.source_addresses import SourceAddressError, leave_from
from capacity.settings.dialects.libraries import lacking_here
from capacity.settings.target import Target
from capacity.settings.targets.source_addresses import addresses_in
from capacity.workload.dialects.dialect import Dialect


def program_fingerprint(root: Path) -> str:
    """Return a digest of the Python files below *root*, by their names and contents.

    Without data/, which only an installed package has: beside a checkout it is the same program.
    """
    digest = hashlib.sha256()
    for path in sorted(set(root.rglob("*.py")) - set((root / "data").rglob("*.py"))):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


PROGRAM = f"{capacity.__version__} ({program_fingerprint(Path(capacity.__file__).parent)})"
"""Version and fingerprint of what this process has loaded, read when it did."""

NONE_IS_HERE = (
    "none of source_addresses in the target file is an address of this host; add one, or remove this "
    "host"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerIdentity:
    """One process that offers load."""

    host: str
    boot_id: str
    """The kernel's: processes that share it share a clock."""
    network: str
    """The network namespace's, within its kernel: processes that share it share its ports."""
    cores: int
    descriptors: int
    """That the process can have open."""
    ports: int
    """From one address to one target."""
    addresses: tuple[str, ...]
    """Those of the target file's source addresses that are this host's."""
    trouble: str | None
    """Why no connection can leave from here to the target."""
    pid: int | None = None
    """The process's, where the asker could look for it."""
    clock: ClockOffset | None = None
    """Its clock minus that of who asked, once compared."""

    @property
    def machine(self) -> tuple[str, str]:
        return self.boot_id, self.network

    def as_message(self) -> dict[str, Any]:
        """Return plain msgpack data; the clock is the asker's matter."""
        return asdict(replace(self, clock=None))

    @classmethod
    def from_message(cls, data: dict[str, Any]) -> Self:
        return cls(**{**data, "addresses": tuple(data["addresses"])})


def identity_here(
    target: Target, dialect: Dialect, private: Dialect | None = None, *, is_reached: bool = True
) -> WorkerIdentity:
    """Return what this process has to say, after one connection to the target from each address.

    *private* is what private connections speak. Where the target *is_reached* by nobody, as is known already, no connection is tried.
    """
    listed = addresses_in(target.source_addresses)
    own = addresses_here(listed)
    trouble = lacking_here(dialect, private)
    if trouble is None and is_reached:
        trouble = _trouble(target, dialect, own)
    return WorkerIdentity(
        host=platform.node(),
        boot_id=boot_id(),
        network=str(Path("/proc/self/ns/net").readlink()),
        cores=os.cpu_count() or 1,
        descriptors=_descriptors(),
        ports=_ephemeral_ports(),
        addresses=own,
        trouble=NONE_IS_HERE if listed and not own else trouble,
        pid=os.getpid(),
    )


def addresses_here(addresses: Iterable[str]) -> tuple[str, ...]:
    """Return those of *addresses* that connections can leave from on this host."""
    return tuple(address for address in addresses if _is_here(address))


def boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def _is_here(address: str) -> bool:
    with socket(AF_INET6 if ":" in address else AF_INET, SOCK_STREAM) as probe:
        try:
            leave_from(probe, address)
        except SourceAddressError:
            return False
    return True


def any_values(dialect: Dialect) -> dict[str, str]:
    """Return something for each value, where it is only dialled and nothing is said."""
    return dict.fromkeys((*dialect.needs, *dialect.signatures, "connection"), "0")


def _trouble(target: Target, dialect: Dialect, own: tuple[str, ...]) -> str | None:
    """Connect once from each address: what does not come back would look like the target's fault."""
    for address in own or (None,):
        endpoint = replace(
            endpoint_of(target, dialect, (), address, any_values(dialect)), timeout_s=TRIAL_S
        )
        try:
            dial(endpoint).socket.close()
        except ConfigError as error:
            return str(error)
        except OSError as error:
            no_way = f"no route to {target.host}:{target.port} ({failure_reason(error)})"
            if address is None:
                return f"{no_way}; open it, or remove this host"
            return (
                f"source_addresses in the target file: from {address} {no_way}; correct its route "
                "or take it out"
            )
    return None


def _descriptors() -> int:
    """Return the hard limit, to which every worker raises its own."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return hard if hard != resource.RLIM_INFINITY else 1 << 20


def _ephemeral_ports() -> int:
    low, high = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii").split()
    return int(high) - int(low) + 1
