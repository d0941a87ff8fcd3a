"""Why nothing came over HTTP, and what would make it come: one remedy for each cause."""

import socket
import ssl
from typing import NamedTuple

_NAME_DIFFERS = {62, 64}
"""X509_V_ERR_HOSTNAME_MISMATCH and _IP_ADDRESS_MISMATCH of OpenSSL."""
_OUT_OF_DATE = {9, 10}
"""X509_V_ERR_CERT_NOT_YET_VALID and _CERT_HAS_EXPIRED."""
_NO_TLS = {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"}


class Silence(NamedTuple):
    cause: str
    remedy: str | None
    """None where the cause alone does not tell it."""


def silence(error: Exception, key: str, patience_s: float) -> Silence:
    """Return what *error* of a request means; *key* of the target file holds the address."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _of_certificate(error, key)
    if isinstance(error, ssl.SSLError):
        remedy = f"write http:// in {key}: TLS is not spoken there"
        return Silence(f"TLS: {str(error)[-120:]}", remedy if error.reason in _NO_TLS else None)
    if isinstance(error, socket.gaierror):
        remedy = f"correct the host's name in {key}, or this host's resolver"
        return Silence("its name does not resolve on this host", remedy)
    if isinstance(error, TimeoutError):
        remedy = f"open the firewall for this host, correct {key}, or let it answer sooner"
        return Silence(f"nothing came for {patience_s:.0f} s", remedy)
    return Silence(type(error).__name__, None)


def _of_certificate(error: ssl.SSLCertVerificationError, key: str) -> Silence:
    cause = f"TLS: its certificate is not accepted: {error.verify_message.rstrip('.')}"
    if error.verify_code in _NAME_DIFFERS:
        return Silence(cause, f"write a name that the certificate has in {key}")
    if error.verify_code in _OUT_OF_DATE:
        return Silence(cause, "renew the certificate, or set this host's clock")
    section = key.rpartition(".")[0]
    return Silence(cause, f"set {section}.ca_file to a PEM file with the authority that signed it")
