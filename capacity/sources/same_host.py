"""Whether exporters watch the host that we are on: none publishes the kernel's boot id."""

import ipaddress
import platform
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit

from capacity.sources.metrics.series import Series

_BOOT_TOLERANCE_S = 2.0
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_STAT = Path("/proc/stat")


def boot_id_of(series: Iterable[Series], urls: Iterable[str] = ()) -> str:
    """Return our own boot id where the series are of our host, else that of nobody.

    They are when an exporter of the target is asked on loopback, or when name and boot time agree.
    """
    if any(_is_loopback(url) for url in urls):
        return _BOOT_ID.read_text(encoding="ascii").strip()
    by_name = {each.name: each for each in series}
    uname, boot = by_name.get("node_uname_info"), by_name.get("node_boot_time_seconds")
    if uname is None or boot is None or uname.labels.get("nodename") != platform.node():
        return ""
    if abs(boot.value - _booted_at()) > _BOOT_TOLERANCE_S:
        return ""
    return _BOOT_ID.read_text(encoding="ascii").strip()


def _booted_at() -> float:
    lines = _STAT.read_text(encoding="ascii").splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith("btime "))


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
