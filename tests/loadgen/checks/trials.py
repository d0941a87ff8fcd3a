"""The dialect that is tried, and a target with a certificate."""

import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest

from capacity.settings.dialect import load_dialect
from capacity.settings.locate import find

FOLDER = Path(__file__).parents[1]
TLS = runpy.run_path(str(FOLDER / "tls_target.py"))
DIALECT = load_dialect(find("dialects", "deribit"))


@pytest.fixture(scope="module")
def secured(exchange, tmp_path_factory):
    """The exchange behind TLS: the authority, its certificate's name is exchange.example."""
    authority = TLS["Authority"](tmp_path_factory.mktemp("tls") / "authority")
    server = TLS["fronted"](exchange.port, authority.certificate("DNS:exchange.example"))
    yield SimpleNamespace(host="127.0.0.1", port=server.server_port, authority=authority)
    server.stop(timeout=0)
