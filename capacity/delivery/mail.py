"""Sends a mail over SMTP, encrypted unless the server is this host."""

import contextlib
import ipaddress
import smtplib
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import make_msgid
from urllib.parse import unquote, urlsplit

from capacity.domain.errors import ConfigError, NotDeliveredError

SERVER, PASSWORD, SENDER = "CAPACITY_SMTP_URL", "CAPACITY_SMTP_PASSWORD", "CAPACITY_MAIL_FROM"
TIMEOUT_S = 20.0
_PORTS = {"smtp": 587, "smtps": 465}


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    host: str
    port: int
    has_tls_from_start: bool
    user: str | None
    password: str | None
    sender: str

    @property
    def is_here(self) -> bool:
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


def server_in(environment: Mapping[str, str]) -> MailServer:
    """Return what the environment says of the mail server. Raises ConfigError."""
    text = environment.get(SERVER)
    if not text:
        raise ConfigError(f"{SERVER}: is not set; give smtp://user@host:587, or smtps://user@host")
    try:
        parts = urlsplit(text)
        port = parts.port or _PORTS[parts.scheme]
    except (ValueError, KeyError):
        parts, port = None, 0
    if parts is None or not parts.hostname:
        # The text is not repeated: it may hold a password.
        raise ConfigError(f"{SERVER}: must be smtp://user@host:port or smtps://user@host:port")
    if parts.password is not None:
        raise ConfigError(f"{SERVER}: must not carry a password; {PASSWORD} has it")
    return MailServer(
        host=parts.hostname,
        port=port,
        has_tls_from_start=parts.scheme == "smtps",
        user=unquote(parts.username) if parts.username else None,
        password=environment.get(PASSWORD),
        sender=environment.get(SENDER) or f"capacity@{socket.gethostname()}",
    )


def message(
    sender: str, receiver: str, subject: str, body: str, attachments: Mapping[str, str]
) -> EmailMessage:
    """Return the mail with *attachments*, file name -> HTML. Raises ConfigError on a bad address."""
    mail = EmailMessage()
    try:
        mail["From"], mail["To"] = sender, receiver
        is_sendable = all(mail[name].addresses for name in ("From", "To"))
    except (ValueError, IndexError):
        is_sendable = False
    if not is_sendable:
        raise ConfigError(f"mailto: no address to send to or from ({receiver!r})")
    mail["Subject"] = subject
    mail["Message-ID"] = make_msgid(domain="capacity.invalid")
    mail["Auto-Submitted"] = "auto-generated"  # Nobody's absence note is wanted.
    mail.set_content(body)
    for name, text in attachments.items():
        mail.add_attachment(text, subtype="html", filename=name)
    return mail


def send(server: MailServer, mail: EmailMessage) -> None:
    """Send *mail*. Raises NotDeliveredError where another try may help, else ConfigError."""
    name = f"{server.host}:{server.port}"
    try:
        with _connected(server) as smtp:
            if server.user is not None:
                smtp.login(server.user, server.password or "")
            smtp.send_message(mail)
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _text in error.recipients.values()]
        raise _refusal(name, codes[0] if codes else 550, "the receiver") from None
    except smtplib.SMTPResponseException as error:
        raise _refusal(name, error.smtp_code, "the mail") from None
    except smtplib.SMTPNotSupportedError as error:
        raise ConfigError(f"{name}: the mail server lacks what is needed ({error})") from None
    except ssl.SSLCertVerificationError as error:
        raise ConfigError(
            f"{name}: the mail server's certificate is not trusted ({error.verify_message})"
        ) from None
    except (OSError, smtplib.SMTPException) as error:
        raise NotDeliveredError(
            f"{name}: the mail server does not answer ({type(error).__name__})"
        ) from None


def _connected(server: MailServer) -> smtplib.SMTP:
    tls = ssl.create_default_context()
    if server.has_tls_from_start:
        return smtplib.SMTP_SSL(server.host, server.port, timeout=TIMEOUT_S, context=tls)
    smtp = smtplib.SMTP(server.host, server.port, timeout=TIMEOUT_S)
    if not server.is_here:
        with contextlib.ExitStack() as undone:  # Also when the run is stopped meanwhile.
            undone.callback(smtp.close)
            smtp.starttls(context=tls)
            undone.pop_all()
    return smtp


def _refusal(name: str, code: int, what: str) -> ConfigError | NotDeliveredError:
    """Return the error for an answer of the server: 4xx passes, 5xx stays (RFC 5321, 4.2.1)."""
    if code < 500:
        return NotDeliveredError(f"{name}: the mail server answered {code}")
    return ConfigError(f"{name}: the mail server refused {what} (it answered {code})")
