"""A certificate for the exchange that signs itself, made by the openssl program."""

import ssl
import subprocess
import tempfile
from pathlib import Path

from capacity.domain.errors import PreflightError

CERTIFICATE, KEY = "certificate.pem", "key.pem"
_DAYS = 825
_NAMES = "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1"
_MADE_WITHIN_S = 30


def self_signed(folder: Path) -> ssl.SSLContext:
    """Return what serves TLS with the certificate in *folder*, which is made where there is none.

    Raises PreflightError.
    """
    certificate, key = folder / CERTIFICATE, folder / KEY
    if not (certificate.is_file() and key.is_file()):
        _make(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        raise PreflightError(
            f"--tls {folder}: {CERTIFICATE} and {KEY} there cannot be used ({error}); remove both, and they"
            " are made anew"
        ) from None
    return context


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as made:
            _run_openssl(Path(made))
            for name in (KEY, CERTIFICATE):
                Path(made, name).replace(folder / name)
    except FileNotFoundError:
        raise PreflightError("--tls: the openssl program is missing: apt install openssl") from None
    except OSError as error:
        raise PreflightError(
            f"--tls {folder}: cannot be written: {error.strerror}; name another folder"
        ) from None
    except subprocess.SubprocessError as error:
        raise PreflightError(
            f"--tls {folder}: openssl made no certificate ({error}); install one of version 1.1.1 or newer"
        ) from None


def _run_openssl(folder: Path) -> None:
    settings = folder / "openssl.cnf"
    settings.write_text("[req]\ndistinguished_name=dn\n[dn]\n", encoding="utf-8")
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-config", str(settings), "-nodes"),
            *("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
            *("-days", str(_DAYS), "-subj", "/CN=capacity exchange"),
            *("-addext", _NAMES, "-out", str(folder / CERTIFICATE), "-keyout", str(folder / KEY)),
        ],
        check=True,
        capture_output=True,
        timeout=_MADE_WITHIN_S,
    )
