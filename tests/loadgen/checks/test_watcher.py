"""What a watcher gets to see."""

from capacity.loadgen.checks.watcher import NoWatcher, without_secrets


def test_secrets_are_shown_by_their_names_unless_they_are_too_short_to_be_any():
    text = b'{"key":"abcd","sign":"abcd1","n":"abc"}'

    assert b'{"key":"{key}","sign":"{key}1","n":"abc"}' == without_secrets(
        text, {"key": "abcd", "short": "abc"}
    )


def test_signed_tokens_are_not_shown_either():
    token = b"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c"

    assert b'{"token":"{token}","a":"eyJ.b.c"}' == without_secrets(
        b'{"token":"%s","a":"eyJ.b.c"}' % token, {}
    )


def test_without_a_watcher_nothing_is_looked_at():
    watcher = NoWatcher()

    assert (None, None) == (watcher.sent(b"x"), watcher.heard(b"x", ()))
