"""Whom a generator trusts over TLS, and as whom it appears."""

import re
import stat
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict, field_validator

from capacity.settings.yaml_files.yaml_file import Finding


class Certificates(BaseModel):
    """Whom to trust over TLS, and as whom to appear. Hashable: contexts are cached by it."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)
    ca_file: str | None = None
    """PEM file with the authorities to trust instead of the system's."""
    client_certificate_file: str | None = None
    """PEM file with the certificate to show to the target (mutual TLS)."""
    client_key_file: str | None = None
    """PEM file with its key, not encrypted and readable by no others."""
    server_name: str | None = None
    """Name to ask for (SNI) and to find in the target's certificate, where host is not it."""

    @field_validator("server_name")
    @classmethod
    def _is_server_name(cls, name: str | None) -> str | None:
        if name is not None and not re.fullmatch(r"[A-Za-z0-9._:-]{1,253}", name):
            raise ValueError(f"must be a host name and nothing else (got {name[:80]!a})")
        return name


def certificate_findings(certificates: Certificates, *, tls: bool) -> Iterator[Finding]:
    """Yield what is wrong with them and their files; *tls*: the target speaks it."""
    if not tls:
        yield ("certificates",), "are of no use without tls: true"
    shown, key = certificates.client_certificate_file, certificates.client_key_file
    if shown is not None and key is None:
        yield ("certificates", "client_certificate_file"), "needs client_key_file, its key"
    if key is not None and shown is None:
        yield ("certificates", "client_key_file"), "needs client_certificate_file, what it is for"
    for name in ("ca_file", "client_certificate_file", "client_key_file"):
        file = getattr(certificates, name)
        trouble = None if file is None else _trouble_with(Path(file), is_secret="key" in name)
        if trouble is not None:
            yield ("certificates", name), f"{file}: {trouble}"


def _trouble_with(file: Path, *, is_secret: bool) -> str | None:
    try:
        with file.open("rb") as opened:
            opened.read(1)
        mode = file.stat().st_mode
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    if is_secret and mode & (stat.S_IROTH | stat.S_IWOTH):
        return f"others may read or write it; chmod o= {file}"
    return None
