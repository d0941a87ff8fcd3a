"""What an onlooker gets to see."""

from capacity.loadgen.checks.watcher import Nobody, without_secrets


def test_secrets_are_shown_by_their_names_unless_they_are_too_short_to_be_any():
    text = b'{"key":"abcd","sign":"abcd1","n":"abc"}'

    assert b'{"key":"{key}","sign":"{key}1","n":"abc"}' == without_secrets(
        text, {"key": "abcd", "short": "abc"}
    )


def test_nobody_looks_at_anything():
    nobody = Nobody()

    assert (None, None) == (nobody.sent(b"x"), nobody.heard(b"x", ()))
