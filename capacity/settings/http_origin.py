"""Where REST is served, if it is not where the WebSocket is."""

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


def _is_host(host: str) -> str:
    if not re.fullmatch(r"[^\s/@\[\]]+", host) or re.fullmatch(r"[^:]*:[^:]*", host):
        raise ValueError(f"must be a host name or an address and nothing else (got {host!a})")
    return host


Host = Annotated[str, AfterValidator(_is_host)]
Port = Annotated[int, Field(ge=1, le=65535)]


class HttpOrigin(BaseModel):
    """Where REST requests go, where that is not host and port of the target. Keys left out are its."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)
    host: Host | None = None
    """Host name or address; IPv6 without brackets."""
    port: Port | None = None
    """TCP port."""
    tls: bool | None = None
    """Speak https."""
