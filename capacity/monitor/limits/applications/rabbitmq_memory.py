"""RabbitMQ's vm_memory_high_watermark: beyond it publishers are held back, and updates cease.

RabbitMQ's guide to memory: an absolute size, or a share of the host's memory (0.4 before version 4.0,
0.6 from then on), of which a cgroup's limit is no part; total_memory_available_override_value stands for
the host's. Resident memory is compared with it once in 2.5 s (found by filling version 3.10).
"""

from collections.abc import Mapping

from capacity.domain.resources import AuditEntry
from capacity.monitor.host.procfs import needed, parse_meminfo, read_text
from capacity.monitor.limits.applications.entries import heap
from capacity.monitor.limits.applications.process import Process
from capacity.monitor.limits.applications.settings import Setting, UnclearError

ABSOLUTE = "vm_memory_high_watermark.absolute"
RELATIVE = "vm_memory_high_watermark.relative"
TOTAL = "total_memory_available_override_value"
NAMES = frozenset({ABSOLUTE, RELATIVE, TOTAL})
_BITS = {"k": 10, "kib": 10, "m": 20, "mib": 20, "g": 30, "gib": 30}
_UNITS = {name: 1 << bits for name, bits in _BITS.items()} | {
    "kb": 10**3,
    "mb": 10**6,
    "gb": 10**9,
}
_DEFAULT_RATIO, _DEFAULT_RATIO_FROM_4 = 0.4, 0.6


def watermark(process: Process, found: Mapping[str, Setting], version: int | None) -> AuditEntry:
    """Return how much resident memory RabbitMQ may have before it holds publishers back."""
    absolute, relative = found.get(ABSOLUTE), found.get(RELATIVE)
    if absolute is not None:
        value, source = float(absolute.number(_UNITS)), absolute.source
    else:
        total_bytes, where = _total(process, found)
        default = _DEFAULT_RATIO_FROM_4 if version is not None and version >= 4 else _DEFAULT_RATIO
        ratio = default if relative is None else _ratio(relative)
        value = ratio * total_bytes
        said = (
            f"{process.command_line}: no watermark is set" if relative is None else relative.where
        )
        source = f"{said}, so {ratio:g} of {where}"
    return heap("vm_memory_high_watermark", value, f"{source}; beyond it publishers are held back")


def _total(process: Process, found: Mapping[str, Setting]) -> tuple[float, str]:
    given = found.get(TOTAL)
    if given is not None:
        return float(given.number(_UNITS)), given.source
    path = f"{process.proc}/meminfo"
    return float(needed(parse_meminfo(read_text(path)), "MemTotal")), f"{path}: MemTotal"


def _ratio(setting: Setting) -> float:
    try:
        ratio = float(setting.text)
    except ValueError:
        ratio = -1.0
    if not 0.0 <= ratio <= 1.0:
        raise UnclearError(f"{setting.name} is no share there", setting.where)
    return ratio
