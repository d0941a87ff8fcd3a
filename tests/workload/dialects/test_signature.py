"""Signatures of published examples, and tokens that another library of tokens reads."""

import base64
import json

import jwt
import pytest
from cryptography.hazmat.primitives import serialization

from capacity.workload.dialects.signature import Signature, signed

ED25519 = """\
-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIEzNCJso/5banbbDRuwRTg9bijGfNaumJNqM9u1PuKb7
-----END PRIVATE KEY-----
"""
"""Of RFC 8032, section 7.1, test 2."""
P256 = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgjpsQnnGQmL+YBIff
H1136cspYG6+0iY7X1fCE9+E9LKhRANCAAR/zc4ncPbEXUGDy+5v20t7WAczNXvp
7xO6z248e9FURcfxRM0bvZt+hyzf7bnuufSzaV1uqQskrYpGIyiFiOWt
-----END PRIVATE KEY-----
"""
"""Of RFC 7515, appendix A.3, in PKCS #8."""


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


def test_an_ed25519_signature_is_that_of_the_standard():
    sign = Signature(function="ed25519", key="{key}", text="{letter}")
    # RFC 8032, section 7.1, test 2: the message is the octet 0x72.
    expected = (
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )

    assert expected == signed(sign, {"key": ED25519, "letter": "r"})


@pytest.mark.parametrize(
    ("function", "key", "algorithm"),
    [("jwt_eddsa", ED25519, "EdDSA"), ("jwt_es256", P256, "ES256")],
    ids=["eddsa", "es256"],
)
def test_a_token_signed_by_a_private_key_is_read_by_its_public_one_and_no_other_text_is(
    function, key, algorithm
):
    sign = Signature(
        function=function,
        key="{key}",
        header={"kid": "{name}", "nonce": "{nonce}"},
        claims={"sub": "{name}", "iss": "cdp", "nbf": "{now_s}"},
        lifetime_s=120,
    )
    token = signed(sign, {"key": key, "name": "k/1", "nonce": "n1", "now_s": 1_000})
    public = serialization.load_pem_private_key(key.encode(), password=None).public_key()
    options = {"verify_exp": False}

    assert {"alg": algorithm, "typ": "JWT", "kid": "k/1", "nonce": "n1"} == (
        jwt.get_unverified_header(token)
    )
    assert {"sub": "k/1", "iss": "cdp", "nbf": 1_000, "exp": 1_120} == (
        jwt.decode(token, public, algorithms=[algorithm], options=options)
    )
    head, _claims, signature = token.split(".")
    forged = base64.urlsafe_b64encode(b'{"sub":"k/2"}').rstrip(b"=").decode()
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(f"{head}.{forged}.{signature}", public, algorithms=[algorithm], options=options)
