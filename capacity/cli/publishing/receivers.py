"""Who is told of a run beside those who read its files: `--to` with an address in place of a directory.

`https://…` is a webhook, `env:NAME` one whose address the environment keeps, `mailto:…` a mailbox. The
environment also has what is secret or the site's own: CAPACITY_WEBHOOK_SECRET signs, CAPACITY_SMTP_URL
sends.
"""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from urllib.parse import unquote, urlsplit

from capacity.delivery import mail, retrying, webhook
from capacity.domain.errors import CapacityError, ConfigError
from capacity.domain.words import printable
from capacity.reporting.publishing.news import News, event, text

SECRET = "CAPACITY_WEBHOOK_SECRET"  # noqa: S105 - the name of it
RETRY_S = 60.0
"""For how long each receiver is tried."""
_WEB, _MAIL, _ENVIRONMENT = ("http://", "https://"), "mailto:", "env:"


def is_address(text: str) -> bool:
    """Tell an address from a directory."""
    return text.startswith((*_WEB, _MAIL, _ENVIRONMENT)) or "://" in text


def sender_to(address: str, environment: Mapping[str, str]) -> Callable[[News, str | None], None]:
    """Return what sends news, and a report's HTML if there is one, to *address*.

    Raises ConfigError at once on what could never be sent, before anything is done.
    """
    if address.startswith(_ENVIRONMENT):
        name = address.removeprefix(_ENVIRONMENT)
        found = environment.get(name, "")
        if not found.startswith(_WEB):
            is_what = "is no http(s) address" if found else "is not set"
            raise ConfigError(f"--to {address}: the environment's {name} {is_what}")
        return _webhook(found, environment)
    if address.startswith(_MAIL):
        return _mail(unquote(address.removeprefix(_MAIL)), environment)
    if address.startswith(_WEB) and urlsplit(address).hostname:
        return _webhook(address, environment)
    raise ConfigError(
        f"--to {printable(address, 40)!r}: must be a directory, https://…, env:NAME or mailto:…"
    )


def tell(addresses: Sequence[str], news: News, report: str | None) -> list[CapacityError]:
    """Send *news* to every address, each tried until its deadline; return what did not work."""
    failures = []
    for address in addresses:
        try:
            send = sender_to(address, os.environ)
            retrying.retried(partial(send, news, report), deadline_s=RETRY_S)
        except CapacityError as error:
            failures.append(error)
    return failures


def _webhook(url: str, environment: Mapping[str, str]) -> Callable[[News, str | None], None]:
    secret = environment.get(SECRET)
    key = None if secret is None else webhook.secret_bytes(secret, SECRET)

    def send(news: News, _report: str | None) -> None:
        headers, body = event(news)
        if key is not None:
            headers |= webhook.signed(headers["ce-id"], body, key, time.time())
        webhook.post(url, headers, body)

    return send


def _mail(receiver: str, environment: Mapping[str, str]) -> Callable[[News, str | None], None]:
    server = mail.server_in(environment)
    mail.message(server.sender, receiver, "", "", {})

    def send(news: News, report: str | None) -> None:
        subject = printable(f"{news.target}: {news.headline}", 150)
        attached = {} if report is None else {f"{news.run}.html": report}
        mail.send(server, mail.message(server.sender, receiver, subject, text(news), attached))

    return send
