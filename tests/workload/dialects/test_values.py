"""The values of one frame, and signatures of published examples."""

import base64
import json

import pytest

from capacity.settings.dialect import parse
from capacity.workload.dialects.dialect import Signature
from capacity.workload.dialects.values import FrameValues, needed_for, signed


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
            "hmac_sha384",
            "hex",
            (
                "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47"
                "e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649"
            ),
        ),
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


def test_a_token_is_the_one_that_its_makers_show():
    # The example of jwt.io.
    sign = Signature(
        function="jwt_hs256",
        key="your-256-bit-secret",
        claims={"sub": "{user}", "name": "John Doe", "iat": "{now_s}"},
    )
    token = (
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"
        ".eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ"
        ".SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c"
    )

    assert token == signed(sign, {"user": "1234567890", "now_s": 1516239022})


def test_a_token_expires_after_its_lifetime_and_names_its_algorithm():
    sign = Signature(function="jwt_hs512", key="k", claims={"sub": 'a"b'}, lifetime_s=60)
    head, claims, digest = signed(sign, {"now_s": 1000}).split(".")
    read = [json.loads(base64.urlsafe_b64decode(part + "==")) for part in (head, claims)]

    assert [{"alg": "HS512", "typ": "JWT"}, {"sub": 'a"b', "exp": 1060}] == read
    assert 86 == len(digest)
