"""Who may log in, and with what: known clients and their secrets, or anybody where none are named."""

import hmac
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, Field, TypeAdapter

from capacity.exchange.api.rpc import Params, RpcError, text_param
from capacity.monitor.serving.credentials import require_secret
from capacity.settings.yaml_files.models import RULES
from capacity.settings.yaml_files.yaml_file import load


class CredentialsFile(BaseModel):
    model_config = RULES
    credentials: Literal[1]
    """Version of this file format."""
    clients: Annotated[dict[str, Annotated[str, Field(min_length=1)]], Field(min_length=1)]
    """Secret of each client, by its id."""


_FILE = TypeAdapter(CredentialsFile)


def load_credentials(path: Path) -> dict[str, str]:
    """Return secrets by client id. Raises ConfigError with file, line and key of each mistake.

    Others may not read the file, as with those that the agent proves itself with.
    """
    require_secret(f"--credentials {path}", path)
    return load(path, _FILE).clients


class Credentials:
    def __init__(self, secrets: Mapping[str, str] | None) -> None:
        """Know the clients in *secrets* alone; None takes anybody, whatever the secret."""
        self._secrets = secrets

    def knows(self, client_id: str) -> bool:
        return self._secrets is None or client_id in self._secrets

    def logged_in(self, params: Params) -> str:
        """Return the client whose credentials, or signature by them, are in *params*, or raise RpcError."""
        client_id = text_param(params, "client_id", default="")
        if not client_id or not self._is_proven(client_id, params):
            raise RpcError(13004, "invalid_credentials")
        return client_id

    def _is_proven(self, client_id: str, params: Params) -> bool:
        if self._secrets is None:
            return True
        secret = self._secrets.get(client_id, "")
        if params.get("grant_type") == "client_signature":
            said = "\n".join(str(params.get(name, "")) for name in ("timestamp", "nonce", "data"))
            expected = hmac.new(secret.encode(), said.encode(), "sha256").hexdigest()
            given = text_param(params, "signature", default="")
        else:
            expected, given = secret, text_param(params, "client_secret", default="")
        is_equal = hmac.compare_digest(expected.encode(), given.encode())
        return is_equal and client_id in self._secrets
