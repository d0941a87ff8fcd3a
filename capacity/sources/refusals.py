"""What another status than 200 says, and what would make it 200: one remedy for each cause."""

from http import HTTPStatus

from capacity.domain.errors import UnreachableError
from capacity.domain.words import printable
from capacity.sources.web import Answer

_NO_ROOM = {
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
}
_SHOWN = 80


def refusal(answer: Answer, name: str, key: str, otherwise: str) -> UnreachableError:
    """Return the error that *answer* of *name* is; *key* of the target file holds its address.

    *otherwise* is the remedy where the status does not tell a better one.
    """
    status = answer.status
    section = key.rpartition(".")[0]
    files = f"{section}.token_file or {section}.basic_auth_file"
    said = answer.body.decode(errors="replace").strip()
    more = f" ({printable(said, _SHOWN).replace('; ', ', ')})" if said else ""
    location = answer.headers.get("Location", "").partition("?")[0]
    if status in range(300, 400) and location:
        more = f" and sends us to {printable(location, _SHOWN)}"
        remedy = f"no redirect is followed: correct {key}"
    elif status == HTTPStatus.UNAUTHORIZED:
        asked = answer.headers.get("WWW-Authenticate")
        more = f" and asks for {printable(asked, _SHOWN).replace('; ', ', ')}" if asked else more
        remedy = f"set {files} to a file with what it accepts"
    elif status == HTTPStatus.FORBIDDEN:
        remedy = f"set {files} to a file of somebody who may read there, or correct {key}"
    elif status in _NO_ROOM:
        remedy = f"try again when it, and what it stands behind, has room, or correct {key}"
    elif status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        remedy = "look into its log, since the failure is its own"
    else:
        remedy = otherwise
    return UnreachableError(f"{name} answers {status}{more}; {remedy}")
