"""One request before thousands: does the target answer it?"""

import itertools

import orjson

from capacity.domain.errors import UnreachableError
from capacity.domain.words import printable
from capacity.loadgen.checks.rejections import (
    answer_remedy,
    known_trouble,
    request_remedy,
)
from capacity.loadgen.checks.trial import TRIAL_S
from capacity.loadgen.wire.http_connection import Answer, ExchangeError
from capacity.loadgen.wire.polls import fixed_values, poll_connection, polls_of
from capacity.settings.target import Target
from capacity.workload.dialects.dialect import Dialect
from capacity.workload.dialects.redaction import redacted

_SHOWN_LETTERS = 160


def try_request(target: Target, dialect: Dialect) -> None:
    """Make the target file's REST request once. Raises UnreachableError unless it succeeds."""
    assert target.rest is not None
    poll = polls_of(target, dialect)[0]
    place = poll.url.partition("?")[0]  # What follows may hold a key.
    connection = poll_connection(
        target,
        dialect,
        poll.url,
        itertools.repeat(None),
        TRIAL_S,
    )
    try:
        answer = connection.exchange(poll.head + b"\r\n" + poll.body, is_repeatable=False)
    except ExchangeError as error:
        no_answer = f"no answer to the REST request ({error}); {request_remedy(str(error))}"
        raise UnreachableError(f"{place}: {known_trouble(error, TRIAL_S) or no_answer}") from None
    connection.close()
    if answer.status >= 300:
        why = [
            f"{name}: {printable(value, _SHOWN_LETTERS)}"
            for name in ("Location", "WWW-Authenticate", "Retry-After")
            for value in answer.headers.getlist(name.lower())
        ]
        why += _words_of(answer, target)
        told = f" ({', '.join(why)})".replace("; ", ", ") if why else ""
        raise UnreachableError(
            f"{place}: the REST request returned {answer.status}{told}; "
            f"{answer_remedy(answer.status)}"
        )


def _words_of(answer: Answer, target: Target) -> list[str]:
    """Return how a target says in JSON what is wrong, as one text; none of another content, which is a page."""
    try:
        tree = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return []
    if not tree:
        return []
    text = redacted(orjson.dumps(tree), fixed_values(target)).decode(errors="replace")
    return [printable(text, _SHOWN_LETTERS)]
