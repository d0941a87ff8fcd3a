"""The `signatures` section of a dialect: values that are computed for the request that holds them."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import orjson

from capacity.workload.dialects import private_key
from capacity.workload.dialects.answers import VALIDATION
from capacity.workload.dialects.template import fill

_HASHES = {
    "hmac_sha256": hashlib.sha256,
    "hmac_sha384": hashlib.sha384,
    "hmac_sha512": hashlib.sha512,
    "jwt_hs256": hashlib.sha256,
    "jwt_hs512": hashlib.sha512,
}
_ALGORITHMS = {
    "jwt_hs256": "HS256",
    "jwt_hs512": "HS512",
    "jwt_eddsa": "EdDSA",
    "jwt_es256": "ES256",
}
"""As the header of a token names them (RFC 7518, section 3.1; RFC 8037, section 3.1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """A value that is computed for the request, or the handshake, that holds it."""

    __pydantic_config__: ClassVar = VALIDATION
    function: Literal[
        "hmac_sha256",
        "hmac_sha384",
        "hmac_sha512",
        "ed25519",
        "jwt_hs256",
        "jwt_hs512",
        "jwt_eddsa",
        "jwt_es256",
    ]
    """By what it is signed: a keyed hash, or a private key (ed25519, and jwt_eddsa with the same; jwt_es256
    with one of P-256), for which `pip install 'capacity[signatures]'`. A jwt is a whole JSON Web Token (RFC 7519)."""
    key: str
    """Template of the key, such as {api_secret}. Of a private key it is the one name of `needs` that the
    target file gives the key in PEM."""
    text: str = ""
    """Template of what is signed; a jwt has claims instead."""
    claims: Mapping[str, Any] = field(default_factory=dict)
    """Template of the claims of a jwt, such as {sub: "{user}", iat: "{now_s}"}."""
    header: Mapping[str, Any] = field(default_factory=dict)
    """Template of what the header of a jwt has beside alg and typ, such as {kid: "{key_name}"}."""
    written: Literal["hex", "base64"] = "hex"
    """How the signature is written; a jwt has its own way."""
    lifetime_s: int | None = None
    """Seconds from now that a jwt is good for: its claim exp."""

    @property
    def is_token(self) -> bool:
        """It is a JSON Web Token."""
        return self.function in _ALGORITHMS

    @property
    def has_private_key(self) -> bool:
        """It is signed by a private key, not by a secret that both sides know."""
        return self.function in private_key.FUNCTIONS

    @property
    def templates(self) -> tuple[Any, ...]:
        """Return all that is filled in."""
        return (self.key, self.text, self.claims, self.header)


def signed(signature: Signature, values: Mapping[str, Any]) -> str:
    """Return the signature as it is written in a frame."""
    key = str(fill(signature.key, values))
    text = (
        _to_be_signed(signature, values)
        if signature.is_token
        else str(fill(signature.text, values)).encode()
    )
    if signature.has_private_key:
        content = private_key.signer(signature.function, key)(text)
    else:
        content = hmac.new(key.encode(), text, _HASHES[signature.function]).digest()
    if signature.is_token:
        return b".".join((text, _url_safe(content))).decode()
    return content.hex() if signature.written == "hex" else base64.b64encode(content).decode()


def _to_be_signed(signature: Signature, values: Mapping[str, Any]) -> bytes:
    """Return the header and the claims of a token, as they are signed."""
    claims = fill(signature.claims, values)
    if signature.lifetime_s is not None:
        claims["exp"] = int(values["now_s"]) + signature.lifetime_s
    header = {"alg": _ALGORITHMS[signature.function], "typ": "JWT"}
    parts = ({**header, **fill(signature.header, values)}, claims)
    return b".".join(_url_safe(orjson.dumps(part)) for part in parts)


def _url_safe(content: bytes) -> bytes:
    return base64.urlsafe_b64encode(content).rstrip(b"=")
