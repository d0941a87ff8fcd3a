"""config/dialects/*.yaml: a protocol as data, checked as far as that is possible without a target."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from capacity.settings.dialects.endpoint_findings import endpoint_findings
from capacity.settings.dialects.entry_findings import entry_findings
from capacity.settings.dialects.impossible import impossible_findings
from capacity.settings.dialects.libraries import library_findings
from capacity.settings.dialects.schema_file import schema_findings, with_schema
from capacity.settings.dialects.sending_findings import sending_findings
from capacity.settings.dialects.signature_findings import signature_findings
from capacity.settings.dialects.transports import transport_findings
from capacity.settings.dialects.update_findings import update_findings
from capacity.settings.secrets import anchored
from capacity.settings.yaml_files.yaml_file import Finding, load
from capacity.workload.dialects.dialect import Dialect

ADAPTER: TypeAdapter[Dialect] = TypeAdapter(Dialect)


def load_dialect(path: Path) -> Dialect:
    """Return the dialect in *path*. Raises ConfigError."""
    folder = path.parent

    def all_findings(dialect: Dialect) -> Iterator[Finding]:
        yield from findings(dialect)
        yield from schema_findings(dialect, folder)

    dialect = with_schema(load(path, ADAPTER, all_findings), folder)
    http = dialect.http
    return replace(
        dialect,
        ws=replace(dialect.ws, headers=anchored(dialect.ws.headers, folder)),
        http=replace(http, headers=anchored(http.headers, folder)) if http else None,
        rest={
            name: replace(operation, headers=anchored(operation.headers, folder))
            for name, operation in dialect.rest.items()
        },
    )


def dump(dialect: Dialect) -> dict[str, Any]:
    """Return *dialect* as plain data, as the master sends it to its workers."""
    dumped: dict[str, Any] = ADAPTER.dump_python(dialect, mode="json")
    return dumped


def parse(data: dict[str, Any]) -> Dialect:
    """Return what dump made of a dialect."""
    return ADAPTER.validate_python(data)


def findings(dialect: Dialect) -> Iterator[Finding]:
    """Yield what is wrong although every value has the right type."""
    yield from endpoint_findings(dialect)
    yield from transport_findings(dialect)
    yield from sending_findings(dialect)
    yield from signature_findings(dialect)
    yield from update_findings(dialect)
    yield from library_findings(dialect)
    if dialect.orders is not None:
        yield from entry_findings(dialect.orders)
    yield from impossible_findings(dialect)
