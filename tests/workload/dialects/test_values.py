"""The values of one frame, and signatures of published examples."""

import pytest

from capacity.workload.dialects.dialect import Signature
from capacity.workload.dialects.values import FrameValues, signed


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


@pytest.mark.parametrize(
    ("function", "written", "expected"),
    [
        # RFC 4231, test case 2.
        ("hmac_sha256", "hex", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
        ("hmac_sha256", "base64", "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM="),
        (
            "hmac_sha512",
            "hex",
            (
                "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
                "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"
            ),
        ),
    ],
)
def test_signatures_are_those_of_the_standard(function, written, expected):
    signature = Signature(
        function=function, key="{secret}", text="what do ya want {what}?", written=written
    )

    assert signed(signature, {"secret": "Jefe", "what": "for nothing"}) == expected
