"""Private keys as they are handed out, and signatures that other implementations published or confirm."""

import base64
import subprocess
import sys

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, utils

from capacity.workload.dialects.private_key import is_library_missing, signer

# RFC 8032, section 7.1, tests 1 to 3: secret key, public key, message, signature.
VECTORS = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        (
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
            "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
        ),
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        (
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
            "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        ),
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        (
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
            "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
        ),
    ),
]
# RFC 7515, appendix A.3.
X, Y, D = (
    "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI",
)
SIGNED = (
    b"eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt"
    b"cGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
)
SIGNATURE = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"


def number(text):
    return int.from_bytes(base64.urlsafe_b64decode(text + "=="), "big")


def pem(key, form=serialization.PrivateFormat.PKCS8, password=None):
    encryption = (
        serialization.NoEncryption()
        if password is None
        else serialization.BestAvailableEncryption(password)
    )
    return key.private_bytes(serialization.Encoding.PEM, form, encryption).decode()


PUBLISHED = ec.EllipticCurvePrivateNumbers(
    number(D), ec.EllipticCurvePublicNumbers(number(X), number(Y), ec.SECP256R1())
).private_key()
EDWARDS = ed25519.Ed25519PrivateKey.from_private_bytes(bytes.fromhex(VECTORS[0][0]))


@pytest.mark.parametrize("vector", VECTORS, ids=["empty", "one octet", "two octets"])
def test_ed25519_signs_as_the_standard_shows_from_pem_and_from_what_venues_hand_out(vector):
    seed, public, message, expected = (bytes.fromhex(text) for text in vector)
    key = ed25519.Ed25519PrivateKey.from_private_bytes(seed)
    given = [pem(key), *(base64.b64encode(form).decode() for form in (seed, seed + public))]

    assert [expected] * 3 == [signer("ed25519", text)(message) for text in given]


def checked(signature, content):
    """Have another implementation check a signature of ES256, which is two numbers of 32 bytes."""
    assert 64 == len(signature)
    pair = (int.from_bytes(part, "big") for part in (signature[:32], signature[32:]))
    PUBLISHED.public_key().verify(
        utils.encode_dss_signature(*pair), content, ec.ECDSA(hashes.SHA256())
    )


@pytest.mark.parametrize(
    "form",
    [serialization.PrivateFormat.PKCS8, serialization.PrivateFormat.TraditionalOpenSSL],
    ids=["PRIVATE KEY", "EC PRIVATE KEY"],
)
def test_es256_by_the_published_key_is_checked_as_the_published_signature_is(form):
    sign = signer("jwt_es256", pem(PUBLISHED, form))

    checked(base64.urlsafe_b64decode(SIGNATURE + "=="), SIGNED)
    for n in range(64):  # Numbers with leading zeros among them, more often than not.
        checked(sign(SIGNED + bytes([n])), SIGNED + bytes([n]))
    with pytest.raises(InvalidSignature):
        checked(sign(SIGNED), SIGNED + b"!")


def test_a_key_whose_lines_are_divided_as_in_json_is_the_same_key():
    text = pem(EDWARDS)

    assert signer("ed25519", text)(b"a") == signer("ed25519", text.replace("\n", "\\n"))(b"a")


FLAWED = base64.b64encode(bytes.fromhex(VECTORS[0][0] + VECTORS[1][1])).decode()


@pytest.mark.parametrize(
    ("function", "key", "wrong"),
    [
        ("jwt_es256", pem(EDWARDS), "is a key of Ed25519, and jwt_es256 needs one of P-256 (openssl ecparam "),
        ("ed25519", pem(PUBLISHED), "is a key of P-256, and ed25519 needs one of Ed25519 (openssl genpkey "),
        ("jwt_es256", pem(ec.generate_private_key(ec.SECP384R1())), "is a key of secp384r1, and jwt_es256 needs one of P-256"),
        ("jwt_eddsa", pem(rsa.generate_private_key(65537, 2048)), "is a key of RSA, and jwt_eddsa needs one of Ed25519"),
        ("jwt_es256", pem(PUBLISHED, password=b"p"), "is encrypted; give it without its passphrase"),
        ("jwt_es256", pem(PUBLISHED)[:90], "begins as PEM and holds no private key that can be read"),
        ("ed25519", "s3cret", "is no private key in PEM, or the base64 of an Ed25519 key, of Ed25519: a file whose first line is"),
        ("ed25519", FLAWED, "is no private key in PEM, or the base64"),
        ("jwt_es256", base64.b64encode(bytes(32)).decode(), "is no private key in PEM of P-256: a file"),
        ("jwt_es256", "", "is no private key in PEM of P-256: a file"),
    ],
    ids=["Ed25519", "P-256", "P-384", "RSA", "encrypted", "cut off", "text", "another's half", "bytes", "nothing"],
)  # fmt: skip
def test_what_is_no_key_for_it_is_told_without_what_it_is(function, key, wrong):
    with pytest.raises(ValueError, match=r"^is |^begins ") as error:
        signer(function, key)

    assert str(error.value).startswith(wrong)
    assert key[30:50] not in str(error.value) or len(key) < 50
    assert "s3cret" not in str(error.value)


def test_nothing_is_imported_before_the_first_key_is_read():
    program = (
        "import sys; from capacity.settings.dialect import load_dialect; "
        "print('cryptography' in sys.modules)"
    )
    told = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout

    assert "False" == told.strip()


def test_a_host_without_the_library_says_so(monkeypatch):
    assert not is_library_missing()
    monkeypatch.setitem(sys.modules, "cryptography", None)  # As if it had never been installed.

    assert is_library_missing()
