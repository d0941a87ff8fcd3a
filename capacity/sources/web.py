"""HTTP to where samples are: a bounded answer, or one sentence that says who did not give it."""

import time
from collections.abc import Mapping
from pathlib import Path

import requests

from capacity.domain.errors import ConfigError, UnreachableError
from capacity.monitor.credentials import require_secret

TIMEOUT_S = 3.0
"""Without a byte."""
WHOLE_S = 20.0
"""For the whole answer, however steadily it drips."""
MOST_BYTES = 64 * 1024 * 1024
"""An hour of samples is a tenth of it; what is longer comes from somebody else."""
_CHUNK_BYTES = 1 << 16


def read_token(file: Path) -> str:
    """Return the token in *file*, one word. Raises ConfigError, also where others may read it."""
    require_secret(f"{file}: cannot read the agent's token", file)
    try:
        token = file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: cannot read the agent's token ({error})") from None
    if not token or not token.isprintable() or " " in token:
        raise ConfigError(f"{file}: a token is one word of printable ASCII")
    return token


class Web:
    """One place on the web. *name* is what a sentence calls it, *remedy* what to do when silent."""

    def __init__(
        self,
        url: str,
        *,
        name: str,
        remedy: str,
        token_file: str | None = None,
        ca_file: str | None = None,
        accept: str = "*/*",
    ) -> None:
        """Raises ConfigError when the token or the authorities cannot be read."""
        self.url = url.rstrip("/")
        self._name, self._remedy = name, remedy
        self._session = requests.Session()
        self._session.trust_env = False  # No proxy between us and the target's host.
        self._session.headers["Accept"] = accept
        if ca_file is not None:
            if not Path(ca_file).is_file():
                raise ConfigError(f"{ca_file}: no such file; ca_file is a PEM file of authorities")
            self._session.verify = ca_file
        if token_file is not None:
            self._session.headers["Authorization"] = f"Bearer {read_token(Path(token_file))}"

    def fetch(
        self, path: str = "", parameters: Mapping[str, str] | None = None
    ) -> tuple[requests.Response, bytes]:
        """Return the answer and its body, whatever its status. Raises UnreachableError."""
        deadline_s = time.monotonic() + WHOLE_S
        try:
            with self._session.get(
                self.url + path, params=parameters, timeout=TIMEOUT_S, stream=True
            ) as response:
                body = b""
                for chunk in response.iter_content(_CHUNK_BYTES):
                    body += chunk
                    if len(body) > MOST_BYTES:
                        raise UnreachableError(
                            f"{self._name} answers with more than {MOST_BYTES} bytes; {self._remedy}"
                        )
                    if time.monotonic() > deadline_s:
                        raise UnreachableError(
                            f"{self._name} took more than {WHOLE_S:.0f} s to answer; {self._remedy}"
                        )
        except (requests.RequestException, OSError) as error:
            raise UnreachableError(
                f"{self._name} does not answer ({_cause(error)}); {self._remedy}"
            ) from None
        return response, body

    def close(self) -> None:
        self._session.close()


def _cause(error: Exception) -> str:
    if isinstance(error, requests.exceptions.SSLError):
        return f"TLS: {str(error.args[0])[-120:]}" if error.args else "TLS"
    return type(error).__name__
