"""What is wrong with the channels that a target file names."""

from collections.abc import Iterator, Sequence

from capacity.settings.yaml_files.yaml_file import Finding
from capacity.settings.yaml_files.yaml_nodes import Location
from capacity.workload.dialects.dialect import Dialect
from capacity.workload.dialects.template import names


def channel_findings(
    channels: Sequence[str], symbols: Sequence[str], dialect: Dialect, place: Location = ()
) -> Iterator[Finding]:
    """Yield which of *channels* the dialect has not, or not without symbols; they stand at *place*."""
    for n, channel in enumerate(channels):
        if channel not in dialect.channels:
            known = ", ".join(dialect.channels)
            yield (
                (*place, "channels", n),
                f"dialect {dialect.name} has no channel {channel}, it has {known}",
            )
        elif not symbols and "symbol" in names(dialect.channels[channel].wire):
            yield (
                (*place, "channels", n),
                "is made of {symbol}; list what that stands for in symbols",
            )
