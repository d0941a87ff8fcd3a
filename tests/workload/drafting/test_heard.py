"""Recordings as parsed frames."""

import zlib

import pytest

from capacity.domain.errors import ConfigError
from capacity.workload.drafting.heard import parsed, shape
from capacity.workload.drafting.recorded_session import Frame, Session


def test_updates_and_everything_else_are_told_apart(session):
    heard = parsed(session("deribit"))

    assert 40 == len(heard.updates)
    assert [1, 3, 44, 46] == [n for n, _tree in heard.theirs()]
    assert [1, 8772] == heard.ids()


@pytest.mark.parametrize(
    ("payload", "hint"),
    [
        (zlib.compress(b"{}"), "packed by zlib: write messages: {packing: zlib}"),
        (b"MSG a 1 2", "needs messages.pattern"),
    ],
)
def test_what_is_no_json_says_which_key_helps(payload, hint):
    with pytest.raises(ConfigError) as caught:
        parsed(Session(frames=(Frame(payload=payload),)))

    assert hint in str(caught.value)


def test_frames_of_one_kind_have_one_shape():
    assert shape({"type": "a", "id": "1", "n": 1}) == shape({"type": "a", "id": "2", "n": 2})
    assert shape({"type": "a"}) != shape({"type": "b"})
    assert "list of 2" == shape([1, 2])
