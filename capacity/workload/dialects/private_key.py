"""Signing by a private key: Ed25519 (RFC 8032), and ECDSA on P-256 with SHA-256 (ES256: RFC 7518, section 3.4).

By the library `cryptography`, which is imported when the first key is read.
"""

import base64
import binascii
from collections.abc import Callable
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

LIBRARY: Final = "cryptography"
REMEDY: Final = "pip install 'capacity[signatures]'"
FUNCTIONS: Final = {"ed25519": "Ed25519", "jwt_eddsa": "Ed25519", "jwt_es256": "P-256"}
"""Function of a signature -> what its key is one of."""
_COMMANDS = {
    "Ed25519": "openssl genpkey -algorithm ed25519",
    "P-256": "openssl ecparam -name prime256v1 -genkey -noout",
}
_PEM = "-----BEGIN "
_SEED_BYTES = 32
_COORDINATE_BYTES = 32
_MOST_KEYS = 4096
Sign = Callable[[bytes], bytes]


def is_library_missing() -> bool:
    """Tell whether keys cannot be read here."""
    return find_spec(LIBRARY) is None


@lru_cache(maxsize=_MOST_KEYS)
def signer(function: str, key: str) -> Sign:
    r"""Return what signs by *key*: a private key in PEM, or an Ed25519 one in base64.

    PEM whose lines are divided by the two letters \n, as in JSON, is read too. Raises ValueError,
    which never says what the key is, and ImportError where the library is missing.
    """
    wanted = FUNCTIONS[function]
    text = key.replace("\\n", "\n").strip()
    loaded = _of_pem(text) if text.startswith(_PEM) else _of_base64(text, wanted)
    kind = _kind_of(loaded)
    if kind != wanted:
        raise ValueError(f"is a key of {kind}, and {function} needs one of {wanted}{_made(wanted)}")
    if wanted == "Ed25519":
        sign: Sign = loaded.sign
        return sign
    return lambda content: _es256(loaded, content)


def _es256(key: Any, content: bytes) -> bytes:
    ec, hashes = _module("asymmetric.ec"), _module("hashes")
    signature = key.sign(content, ec.ECDSA(hashes.SHA256()))
    pair = _module("asymmetric.utils").decode_dss_signature(signature)
    return b"".join(number.to_bytes(_COORDINATE_BYTES, "big") for number in pair)


def _of_pem(text: str) -> Any:
    try:
        return _module("serialization").load_pem_private_key(text.encode(), password=None)
    except TypeError:
        raise ValueError(
            "is encrypted; give it without its passphrase (openssl pkey -in KEY -out PLAIN)"
        ) from None
    except (ValueError, import_module(f"{LIBRARY}.exceptions").UnsupportedAlgorithm):
        raise ValueError(
            "begins as PEM and holds no private key that can be read; give the file as it was handed out"
        ) from None


def _of_base64(text: str, wanted: str) -> Any:
    """Return an Ed25519 key of its 32 bytes, which its public key may follow."""
    try:
        content = base64.b64decode(text, validate=True) if wanted == "Ed25519" else b""
    except (binascii.Error, ValueError):
        content = b""
    if len(content) in {_SEED_BYTES, 2 * _SEED_BYTES}:
        ed25519 = _module("asymmetric.ed25519")
        key = ed25519.Ed25519PrivateKey.from_private_bytes(content[:_SEED_BYTES])
        if content[_SEED_BYTES:] in {b"", key.public_key().public_bytes_raw()}:
            return key
    other = ", or the base64 of an Ed25519 key," if wanted == "Ed25519" else ""
    raise ValueError(
        f"is no private key in PEM{other} of {wanted}: a file whose first line is"
        f" -----BEGIN PRIVATE KEY-----{_made(wanted)}"
    )


def _kind_of(key: Any) -> str:
    name = type(key).__name__.removesuffix("PrivateKey").lstrip("_")
    curve = getattr(getattr(key, "curve", None), "name", None)
    return {"secp256r1": "P-256", None: name}.get(curve, str(curve))


def _made(wanted: str) -> str:
    return f" ({_COMMANDS[wanted]} makes one)"


def _module(name: str) -> Any:
    return import_module(f"{LIBRARY}.hazmat.primitives.{name}")
