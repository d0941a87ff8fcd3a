"""The values of one frame: what the request brings, what the connection has, what is signed, and,
in an answer, what the answered frame holds.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import asdict
from types import MappingProxyType
from typing import Any

from capacity.workload.dialects.dialect import Dialect, Signature
from capacity.workload.dialects.matching import MISSING, getter
from capacity.workload.dialects.template import fill, names

NOTHING: Mapping[str, Any] = MappingProxyType({})
BUILT_IN = ("connection", "now_s", "now_ms", "nonce")
"""Values that every template may hold."""
_HASHES = {"hmac_sha256": hashlib.sha256, "hmac_sha512": hashlib.sha512}


def uses_values(dialect: Dialect) -> bool:
    """Tell whether templates of *dialect* hold more than channels, ids and what answers bring."""
    described = asdict(dialect) | {"orders": None}  # Traders have values of their own.
    return bool(dialect.needs) or not set(BUILT_IN).isdisjoint(names(described))


class FrameValues(dict[str, Any]):
    """Name -> value. What is looked up once stays the same for this frame, such as the time in a
    signature and beside it. KeyError where there is none.
    """

    def __init__(
        self,
        own: Mapping[str, Any],
        outer: Mapping[str, Any] = NOTHING,
        signatures: Mapping[str, Signature] = NOTHING,
        frame: Any = MISSING,
    ) -> None:
        super().__init__(own)
        self._outer, self._signatures, self._frame = outer, signatures, frame

    def __missing__(self, name: str) -> Any:
        if name in self._signatures:
            value = signed(self._signatures[name], self)
        elif name in self._outer:
            value = self._outer[name]
        else:
            value = getter(name.removeprefix("$."))(self._frame)
            if value is MISSING:
                raise KeyError(name)
        self[name] = value
        return value


def signed(signature: Signature, values: Mapping[str, Any]) -> str:
    """Return the signature as it is written in a frame."""
    key, text = (str(fill(each, values)).encode() for each in (signature.key, signature.text))
    digest = hmac.new(key, text, _HASHES[signature.function]).digest()
    return digest.hex() if signature.written == "hex" else base64.b64encode(digest).decode()
