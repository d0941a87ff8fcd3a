"""Signatures that cannot be made, each refused with its line."""

import pytest

from capacity.domain.errors import ConfigError
from capacity.settings.dialect import load_dialect, parse
from capacity.settings.dialects.signature_findings import wrong_keys


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('signatures: {s: {function: hmac_sha256, key: "{k}", text: b}}', ".s.key: {k} has no value here; there is {id}, {connection}, {now_s}, {now_ms}, {now_us}, {nonce}, {channel}"),
        ("signatures: {s: {function: md5, key: a, text: b}}", ".s.function: must be 'hmac_sha256', 'hmac_sha384', 'hmac_sha512', 'ed25519', 'jwt_hs256', 'jwt_hs512', 'jwt_eddsa' or 'jwt_es256' (got \"md5\")"),
        ("signatures: {s: {function: hmac_sha256, key: a}}", ".s: hmac_sha256 needs text"),
        ("signatures: {s: {function: jwt_hs256, key: a}}", ".s: jwt_hs256 needs claims"),
        ("signatures: {s: {function: jwt_hs256, key: a, claims: {b: c}, text: d}}", ".s.text: jwt_hs256 has no use for it; it has claims"),
        ("signatures: {s: {function: hmac_sha256, key: a, text: b, lifetime_s: 9}}", ".s.lifetime_s: hmac_sha256 has no use for it; a jwt has"),
        ("signatures: {s: {function: jwt_hs512, key: a, claims: {b: c}, lifetime_s: 0}}", ".s.lifetime_s: must be 1 or more (got 0)"),
        ('signatures: {s: {function: jwt_hs256, key: a, claims: {b: "{user}"}}}', ".s.claims: {user} has no value here; there is {id}, {connection}, {now_s}, {now_ms}, {now_us}, {nonce}, {channel}"),
        ('signatures: {s: {function: ed25519, key: "{k}", written: base64}}', ".s: ed25519 needs text"),
        ("signatures: {s: {function: hmac_sha256, key: a, text: b, header: {kid: c}}}", ".s.header: hmac_sha256 has no use for it; a jwt has"),
        ("signatures: {s: {function: jwt_hs256, key: a, claims: {b: c}, header: {alg: none}}}", ".s.header.alg: is jwt_hs256's own; leave it out"),
        ('signatures: {s: {function: jwt_hs256, key: a, claims: {b: c}, header: {kid: "{name}"}}}', ".s.header: {name} has no value here; there is {id}, {connection}, {now_s}, {now_ms}, {now_us}, {nonce}, {channel}"),
        ('signatures: {s: {function: jwt_hs256, key: a, claims: {b: c}, header: {kid: "{now_s:Str}"}}}', ".s.header: {now_s:Str} is no placeholder, which is {name} or {name:form} with one of the forms int, str, list, entries, lower, upper, or a time and more, {now_ms+10000}; a brace meant as such is followed by a space"),
    ],
)  # fmt: skip
def test_a_signature_that_cannot_be_made_is_refused_with_its_line(
    dialect_file, plainest, line, problem
):
    with pytest.raises(ConfigError) as error:
        load_dialect(dialect_file(plainest + line))

    told = str(error.value).splitlines()
    assert f"d.yaml:7: signatures{problem}" in told
    assert told[0].startswith("d.yaml:7: signatures.s")


@pytest.mark.parametrize("key", ["s3cret", "{a}{a}", "{b}", "{now_s}", "a{a}"])
def test_a_private_key_stands_in_no_dialect(dialect_file, plainest, key):
    line = f'needs: [a]\nsignatures: {{s: {{function: jwt_es256, key: "{key}", claims: {{b: c}}}}}}'
    with pytest.raises(ConfigError) as error:
        load_dialect(dialect_file(plainest + line))

    assert str(error.value).splitlines()[0] == (
        "d.yaml:8: signatures.s.key: jwt_es256 needs a private key, which belongs in no dialect: put the"
        " name of one of `needs` here, such as {private_key}, and give the target file its value by"
        " {file: PATH}"
    )


def test_the_first_key_that_is_none_is_told_by_its_place_and_what_signs_nothing_is_no_key():
    keyed = parse(
        {
            "dialect": 1,
            "name": "keyed",
            "ws": {"url": "ws://h/"},
            "needs": ["seed", "secret"],
            "signatures": {
                "a": {"function": "ed25519", "key": "{seed}", "text": "t"},
                "b": {"function": "hmac_sha256", "key": "{secret}", "text": "t"},
            },
            "channels": {"c": {"wire": "c"}},
            "data": {"where": {}},
        }
    )
    good = "A" * 43 + "="  # 32 zeros.

    assert [] == list(wrong_keys(keyed, "seed", [good, good]))
    assert [] == list(wrong_keys(keyed, "secret", ["x"]))
    [(n, wrong)] = wrong_keys(keyed, "seed", [good, "x", "y"])
    assert (1, True) == (n, wrong.startswith("is no private key in PEM"))
