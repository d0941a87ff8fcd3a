"""What a host lacks is told before anything connects."""

import sys

import pytest

from capacity.domain.errors import ConfigError
from capacity.settings.dialect import load_dialect
from capacity.settings.dialects.libraries import lacking_here
from capacity.settings.locate import find

KEYED = """\
needs: [private_key]
signatures:
  sign: {function: ed25519, key: "{private_key}", text: b}
"""


@pytest.fixture
def without(monkeypatch):
    """Hide a library, as if it had never been installed."""
    return lambda library: monkeypatch.setitem(sys.modules, library, None)


def test_a_dialect_that_signs_by_a_private_key_needs_its_library(dialect_file, plainest, without):
    path = dialect_file(plainest + KEYED)
    load_dialect(path)
    without("cryptography")
    with pytest.raises(ConfigError) as error:
        load_dialect(path)

    assert str(error.value) == (
        "d.yaml:9: signatures.sign.function: ed25519 needs the Python package cryptography, which is not"
        " installed here; pip install 'capacity[signatures]' on all hosts of the generator"
    )


def test_a_dialect_of_shared_secrets_alone_needs_none(without):
    without("cryptography")

    assert "okx-private" == load_dialect(find("dialects", "okx-private")).name


def test_a_packing_that_needs_a_library_names_those_that_need_none(dialect_file, plainest, without):
    path = dialect_file(plainest + "messages: {packing: brotli}")
    without("brotli")
    with pytest.raises(ConfigError) as error:
        load_dialect(path)

    assert str(error.value) == (
        "d.yaml:7: messages.packing: brotli needs the Python package brotli, which is not installed here;"
        " install it on all hosts of the generator, or have the target pack by none, gzip, zlib, deflate"
    )


def test_another_host_says_which_of_several_dialects_it_cannot_speak(without):
    dialects = [load_dialect(find("dialects", name)) for name in ("binance", "binance-private")]

    assert lacking_here(*dialects, None) is None
    without("cryptography")
    assert lacking_here(dialects[0], None) is None
    assert str(lacking_here(*dialects)).startswith(
        "dialect binance-private: signatures.sign.function: ed25519 needs the Python package"
    )
