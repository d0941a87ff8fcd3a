"""Whom the generator trusts over TLS, and as whom it appears: one context for all connections.

Verification is always on. What an impostor, or a proxy in between, can hold says nothing of the
target; a certificate of one's own is trusted by certificates.ca_file in the target file.
"""

import ssl
from functools import cache

from capacity.domain.errors import ConfigError
from capacity.settings.targets.certificates import Certificates


@cache
def client_context(certificates: Certificates | None) -> ssl.SSLContext:
    """Return the context for connections to the target. Raises ConfigError."""
    ca_file = certificates.ca_file if certificates is not None else None
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        raise ConfigError(
            f"certificates.ca_file: {ca_file}: no certificate can be read from it ({_why(error)}); "
            "give a PEM file with the authorities to trust"
        ) from None
    if certificates is not None and certificates.client_certificate_file is not None:
        _appear_as(context, certificates.client_certificate_file, certificates.client_key_file)
    return context


def _appear_as(context: ssl.SSLContext, certificate_file: str, key_file: str | None) -> None:
    try:
        # With a password given, OpenSSL does not ask the terminal for that of an encrypted key.
        context.load_cert_chain(certificate_file, key_file, password="")
    except OSError as error:
        raise ConfigError(
            f"certificates: {certificate_file} cannot be used with the key in {key_file} "
            f"({_why(error)}); give PEM files of a certificate and its own key, not encrypted"
        ) from None


def _why(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        return (error.reason or "not_readable").replace("_", " ").lower()
    return error.strerror or type(error).__name__
