"""memcached: -c, 1024 by default, less the descriptors that it has for itself.

memcached(1), and memcached.c of 1.6, which turns away whose descriptor's number is beyond -c: a few
are its own, 4 are a thread's and 1 an address's that it listens on.
"""

from collections.abc import Iterator

from capacity.domain.resources import AuditEntry
from capacity.monitor.limits.applications.entries import cap
from capacity.monitor.limits.applications.process import Process
from capacity.monitor.limits.applications.settings import Setting

NAMES = frozenset({"memcached"})
_DEFAULT, _DEFAULT_THREADS = 1024, 4
_OWN, _OWN_OF_A_THREAD = 7, 4


def entries(process: Process) -> Iterator[AuditEntry]:
    default = f"{process.command_line} (the default, as none is set)"
    setting = process.option("-c", "--conn-limit") or Setting("-c", str(_DEFAULT), default)
    threads = process.option("-t", "--threads") or Setting("-t", str(_DEFAULT_THREADS), default)
    own = _OWN + _OWN_OF_A_THREAD * threads.number() + max(1, process.listening)
    source = f"{setting.source}, less {own} descriptors of its own"
    yield cap("connection limit", max(0, setting.number() - own), source)
