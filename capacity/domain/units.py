"""How numbers look: the only file that knows prefixes, separators and units for people.

Values come in base units (seconds, bytes, cores, 1/s, ratios). Bytes are shown with binary
prefixes (1 KiB = 1024 bytes), times of day in UTC.
"""

import math
from datetime import UTC, datetime

from capacity.domain.estimates import Estimate
from capacity.domain.resource_facts import UNITS
from capacity.domain.resources import Resource

_BYTE_PREFIXES = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB")
_SINGULAR = {"entries": "entry"}
LARGEST = 1e9
MONTH_S = 365.25 / 12.0 * 86_400.0
_WIDE_RATIO = 0.05
"""An interval wider than this share of its middle is shown with three digits."""


def number(value: float, digits: int = 3) -> str:
    """Return *value* with at least *digits* significant digits and no exponent."""
    if not math.isfinite(value):
        return "not known" if math.isnan(value) else ("-∞" if value < 0 else "∞")
    if value == 0:
        return "0"
    decimals = digits - 1 - math.floor(math.log10(abs(value)))
    text = f"{value:,.{max(0, min(decimals, 12))}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def count(value: float) -> str:
    """Return a whole number with separators; what is not finite stays in words."""
    return f"{round(value):,}" if math.isfinite(value) else number(value)


def counted(value: float, noun: str) -> str:
    """Return "1 step", "2 steps"; *noun* in the singular, with a regular plural."""
    return f"{count(value)} {noun}" if value == 1 else f"{count(value)} {noun}s"


def step_number(index: int) -> str:
    """Return how a step is called where people read: files count them from 0, people from 1."""
    return str(index + 1)


def size(value_bytes: float) -> str:
    magnitude, prefix = abs(value_bytes), 0
    while magnitude >= 1024 and math.isfinite(magnitude) and prefix < len(_BYTE_PREFIXES) - 1:
        magnitude /= 1024
        prefix += 1
    return f"{number(math.copysign(magnitude, value_bytes))} {_BYTE_PREFIXES[prefix]}"


def size_prefix(value_bytes: float) -> tuple[float, str]:
    """Return the bytes in one unit that suits *value_bytes*, and the unit's name, for axes."""
    prefix = 0
    while value_bytes >= 1024 ** (prefix + 1) and prefix < len(_BYTE_PREFIXES) - 1:
        prefix += 1
    return float(1024**prefix), _BYTE_PREFIXES[prefix]


def duration(value_s: float) -> str:
    magnitude = abs(value_s)
    if 0 < magnitude < 1e-3:
        return f"{number(value_s * 1e6)} µs"
    if 0 < magnitude < 1:
        return f"{number(value_s * 1e3)} ms"
    if magnitude < 60 or not math.isfinite(magnitude):
        return f"{number(value_s)} s"
    minutes, seconds = divmod(round(value_s), 60)
    if minutes < 60:
        return f"{minutes} min {seconds} s" if seconds else f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"


def milliseconds(value_s: float) -> str:
    """Return the bare number of milliseconds, for a column headed ms."""
    return number(value_s * 1e3)


def rate(value_per_s: float, noun: str) -> str:
    """Return "2 deliveries/s"; *noun* in the plural."""
    return f"{number(value_per_s)} {noun}/s"


def share(ratio: float) -> str:
    """Return a ratio as a percentage that never rounds a possible thing to 0 or 100."""
    if not math.isfinite(ratio):
        return number(ratio)
    if 0 < ratio < 0.01:
        return "< 1 %"
    if 0.99 < ratio < 1:
        return "> 99 %"
    return f"{ratio * 100:.0f} %"


def quantity(value: float, unit: str) -> str:
    """Return *value* of a *unit* that may be any: bytes and bytes per second are scaled."""
    if unit == "bytes":
        return size(value)
    if unit == "bytes_per_s":
        return f"{size(value)}/s"
    return f"{number(value)} {unit}"


def amount(value: float, resource: Resource) -> str:
    """Return *value* of *resource* with its unit."""
    unit = UNITS[resource]
    if unit == "bytes":
        return size(value)
    if unit == "bytes_per_s":
        return f"{size(value)}/s"
    if unit == "seconds":
        return duration(value)
    if unit == "cores":
        if 0 < abs(value) < 1:
            return f"{number(value * 1e3)} millicores"
        return f"{number(value)} {'core' if value == 1 else 'cores'}"
    text = number(value)
    return f"{text} {_SINGULAR.get(unit, unit.removesuffix('s')) if text == '1' else unit}"


def moment(at: float) -> str:
    """Return an epoch time as a date and time of day in UTC."""
    if not math.isfinite(at):
        return "not known"
    try:
        return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (OverflowError, ValueError, OSError):
        return f"{number(at)} s after 1970"


def about(value: float) -> str:
    """Return a count with three significant digits, for what follows from estimates.

    What is larger than anybody needs is not spelt out.
    """
    if LARGEST <= value < math.inf:
        return "1 billion or more"
    if not math.isfinite(value) or abs(value) < 1000:
        return count(value)
    return count(round(value, 2 - math.floor(math.log10(abs(value)))))


def _shown(value: float, estimate: Estimate) -> str:
    wide = estimate.high - estimate.low > _WIDE_RATIO * abs(estimate.mid)
    return about(value) if wide or value >= LARGEST else count(value)


def middle(estimate: Estimate) -> str:
    """Return the most likely count, with no more digits than its interval supports.

    Where there is none, because the cost may be nothing, "at least 700".
    """
    if not math.isfinite(estimate.mid):
        return f"at least {about(estimate.low)}"
    return _shown(estimate.mid, estimate)


def interval(estimate: Estimate) -> str:
    """Return the interval in words: "19,100 to 20,300 (90 %)", "at least 700 (95 %)", or "exact"."""
    if estimate.low == estimate.high:
        return "exact"
    if not estimate.is_bounded:
        return f"at least {about(estimate.low)} ({share((1.0 + estimate.confidence) / 2.0)})"
    low, high = interval_ends(estimate)
    return f"{low} to {high} ({share(estimate.confidence)})"


def interval_ends(estimate: Estimate) -> tuple[str, str]:
    """Return both ends with no more digits than the interval supports; "no upper end" without one."""
    if not estimate.is_bounded:
        return about(estimate.low), "no upper end"
    return _shown(estimate.low, estimate), _shown(estimate.high, estimate)
