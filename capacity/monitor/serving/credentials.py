"""What the agent proves itself with: a token and a key that nobody else may read, and TLS.

A file of our own is for us alone. One of somebody else's (root's, as service managers hand
credentials over) may be ours to read through its group; never everybody's.
"""

import os
import ssl
import stat
from pathlib import Path

from capacity.domain.errors import ConfigError

LEAST_LETTERS = 16
"""Of a token: with hexadecimal digits these are 64 bits."""
_FOR_OTHERS = stat.S_IRWXO
_FOR_THE_GROUP = stat.S_IRWXG


def read_token(path: Path) -> str:
    """Return the token in *path*; ConfigError unless it is there, secret and fit for a header."""
    option = f"--token-file {path}"
    require_secret(option, path)
    try:
        token = path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise ConfigError(
            f"{option}: {error.strerror}; name a file that exists here and that you may read"
        ) from error
    except ValueError as error:
        raise ConfigError(f"{option}: a token is printable ASCII") from error
    if not token:
        raise ConfigError(f"{option}: is empty; put a long random word in it")
    if not token.isprintable() or " " in token:
        raise ConfigError(f"{option}: a token is one word of printable ASCII")
    if len(token) < LEAST_LETTERS:
        raise ConfigError(
            f"{option}: a token of {len(token)} letters can be guessed; give it {LEAST_LETTERS} or more"
        )
    return token


def require_secret(option: str, path: Path) -> None:
    """Raise ConfigError unless only those may read *path* who have to."""
    try:
        status = path.stat()
    except OSError as error:
        raise ConfigError(
            f"{option}: {error.strerror}; name a file that exists here and that you may read"
        ) from error
    if not stat.S_ISREG(status.st_mode):
        raise ConfigError(f"{option}: is no regular file; name one")  # A pipe would be waited for.
    if status.st_uid not in {0, os.geteuid()} and not status.st_mode & stat.S_IRGRP:
        raise ConfigError(f"{option}: belongs to another user; make a copy of your own")
    if status.st_mode & _FOR_OTHERS:
        raise ConfigError(f"{option}: others may read or write it; chmod go= {path}")
    if status.st_mode & _FOR_THE_GROUP and status.st_uid == os.geteuid():
        raise ConfigError(f"{option}: its group may read or write it; chmod go= {path}")


def server_context(certificate: Path | None, key: Path | None) -> ssl.SSLContext | None:
    """Return how to serve over TLS; None without a certificate. Raises ConfigError."""
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise ConfigError("--certificate and --key go together")
    require_secret(f"--key {key}", key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        # An empty password fails where OpenSSL would ask the terminal for one.
        context.load_cert_chain(certificate, key, password="")
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"--certificate {certificate} --key {key}: not a certificate and its key in PEM format,"
            f" without a password ({_reason(error)})"
        ) from error
    return context


def client_context(ca_file: Path | None) -> ssl.SSLContext:
    """Return how to check whom we push to: by *ca_file*, or by the host's authorities."""
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"--ca-file {ca_file}: not a file of certificates in PEM format ({_reason(error)})"
        ) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _reason(error: Exception) -> str:
    return getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error)
