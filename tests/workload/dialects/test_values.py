"""The values of one frame, and signatures of published examples."""

import pytest

from capacity.settings.dialect import parse
from capacity.workload.dialects.signature import Signature, signed
from capacity.workload.dialects.values import FrameValues, needed_for


def test_a_request_s_own_values_come_first_and_the_answered_frame_s_last():
    frame = {"id": 9, "ping": 5, "key": "of the frame", "params": {"time": 7}}
    values = FrameValues({"id": 1}, {"key": "secret"}, frame=frame)

    assert [values[name] for name in ("id", "key", "ping", "params.time", "$.id", "$.key")] == [
        1,
        "secret",
        5,
        7,
        9,
        "of the frame",
    ]


def test_a_name_that_nothing_has_is_a_key_error():
    with pytest.raises(KeyError, match="pong"):
        FrameValues({}, {}, frame={"ping": 1})["pong"]
    with pytest.raises(KeyError, match="ping"):
        FrameValues({})["ping"]


def test_what_is_signed_is_what_is_sent_beside_it():
    class Ticking(dict):
        now = 0

        def __contains__(self, name):
            return name == "now_ms"

        def __getitem__(self, name):
            self.now += 1
            return self.now

    sign = Signature(function="hmac_sha256", key="k", text="{now_ms}")
    values = FrameValues({}, Ticking(), {"sign": sign})
    expected = signed(sign, {"now_ms": 1})

    assert (values["sign"], values["now_ms"]) == (expected, 1)


def test_a_signature_may_hold_a_part_of_the_channel_that_it_is_for():
    sign = Signature(function="hmac_sha256", key="k", text="channel={channel.name}")
    values = FrameValues({}, {}, {"sign": sign}, asked=lambda name, _values: f"<{name}>")

    assert values["sign"] == signed(sign, {"channel.name": "<channel.name>"})


def test_a_need_of_a_channel_that_is_not_followed_is_none():
    keyed = parse(
        {
            "dialect": 1,
            "name": "keyed",
            "ws": {"url": "ws://{host}:{port}/{token}"},
            "needs": ["token", "key", "secret"],
            "signatures": {
                "sign": {"function": "hmac_sha256", "key": "{secret}", "text": "{token}"}
            },
            "channels": {
                "open": {"wire": "open"},
                "own": {"wire": "own", "request": {"key": "{key}", "sign": "{sign}"}},
            },
            "subscribe": {"send": "{channel}", "confirm": "none"},
            "data": {"where": {}},
        }
    )

    assert needed_for(keyed, ("open",)) == ("token",)
    assert needed_for(keyed, ("open", "own")) == ("token", "key", "secret")
