"""Posts an event to a web server, signed as the Standard Webhooks convention has it.

The signature is HMAC-SHA256 over `id.timestamp.body` with the shared secret (standardwebhooks.com); tries
of one event have one id, by which a receiver knows it again. Redirections are not followed: they may
lead anywhere.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import urlsplit

import requests

from capacity.domain.errors import ConfigError, NotDeliveredError

TIMEOUT_S = 10.0
SECRET_PREFIX = "whsec_"  # noqa: S105 - what every secret begins with
_PASSING = frozenset({408, 425, 429})


def secret_bytes(text: str, what: str) -> bytes:
    """Return the key in *text*, base64 with or without its prefix. Raises ConfigError without it."""
    try:
        key = base64.b64decode(text.strip().removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not key:
        raise ConfigError(
            f"{what}: is no webhook secret; give {SECRET_PREFIX} and base64 behind it"
        )
    return key


def signed(event: str, body: bytes, key: bytes, at: float) -> dict[str, str]:
    """Return the headers that tell the receiver who sent *body* as *event*, and when (epoch seconds)."""
    moment = str(int(at))
    digest = hmac.digest(key, b".".join([event.encode(), moment.encode(), body]), hashlib.sha256)
    return {
        "webhook-id": event,
        "webhook-timestamp": moment,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


def post(url: str, headers: Mapping[str, str], body: bytes) -> None:
    """Post *body*. Raises NotDeliveredError where another try may help, else ConfigError."""
    name = shown(url)
    try:
        with requests.post(
            url,
            data=body,
            headers=dict(headers),
            timeout=TIMEOUT_S,
            allow_redirects=False,
            stream=True,
        ) as answer:
            status = answer.status_code
    except requests.exceptions.InvalidURL:
        raise ConfigError(f"{name}: is no address of a webhook") from None
    except requests.RequestException as error:
        raise NotDeliveredError(
            f"{name}: the webhook does not answer ({type(error).__name__})"
        ) from None
    if status in _PASSING or status >= 500:
        raise NotDeliveredError(f"{name}: the webhook answered {status}")
    if not 200 <= status < 300:
        raise ConfigError(f"{name}: the webhook refused the event (it answered {status})")


def shown(url: str) -> str:
    """Return scheme, host and port of *url*: the rest is often a secret."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
