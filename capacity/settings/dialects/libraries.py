"""What a dialect needs of the host that speaks it: Python packages that not everybody has."""

from collections.abc import Iterator
from typing import get_args

from capacity.settings.yaml_files.yaml_file import Finding
from capacity.workload.dialects.dialect import Dialect
from capacity.workload.dialects.encodings.payload import MODULES, Packing, missing_library
from capacity.workload.dialects.private_key import LIBRARY, REMEDY, is_library_missing


def library_findings(dialect: Dialect) -> Iterator[Finding]:
    """Yield which packages are missing here, beside what they are needed for."""
    packing = dialect.messages.packing
    library = missing_library(packing)
    if library is not None:
        others = ", ".join(name for name in get_args(Packing) if name not in MODULES)
        wrong = (
            f"{packing} needs the Python package {library}, which is not installed here;"
            f" install it on all hosts of the generator, or have the target pack by {others}"
        )
        yield ("messages", "packing"), wrong
    for name, signature in dialect.signatures.items():
        if signature.has_private_key and is_library_missing():
            wrong = (
                f"{signature.function} needs the Python package {LIBRARY}, which is not installed here;"
                f" {REMEDY} on all hosts of the generator"
            )
            yield ("signatures", name, "function"), wrong


def lacking_here(*dialects: Dialect | None) -> str | None:
    """Return which package is missing on this host for one of *dialects*; None if none is."""
    for dialect in filter(None, dialects):
        for place, wrong in library_findings(dialect):
            return f"dialect {dialect.name}: {'.'.join(map(str, place))}: {wrong}"
    return None
