"""`capacity dialect try` as somebody who has to log in: by a private key, made by OpenSSL as people make it, or a secret."""

import runpy
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from capacity.cli.dialects.trying import command
from capacity.domain.errors import ConfigError, UnreachableError
from capacity.settings.locate import find

TESTS = Path(__file__).parents[2]
running = runpy.run_path(str(TESTS / "running_programs.py"))["running"]
COMMANDS = {
    "ed25519": ("genpkey", "-algorithm", "ed25519"),
    "es256": ("ecparam", "-name", "prime256v1", "-genkey", "-noout"),
}

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")


def made(kind, file):
    """Have OpenSSL make a private key in *file* and its public one beside it; return the latter."""
    public = file.with_suffix(".pub")
    for arguments in (
        (*COMMANDS[kind], "-out", file),
        ("pkey", "-in", file, "-pubout", "-out", public),
    ):
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)
    return public


def with_key(name, file="own.pem"):
    """Return the values of a client that the venue calls key-1, by *name*, with the private key in *file*."""
    return {name: "key-1", "private_key": {"file": file}}


def tried(venue, dialect, values, channel="user"):
    target = {
        "target": 1,
        "name": "venue",
        "host": venue.host,
        "port": venue.port,
        "dialect": dialect,
        "channels": [channel],
        "values": values,
    }
    Path("venue.yaml").write_text(yaml.safe_dump(target), "utf-8")
    return CliRunner().invoke(command, ["--target", "./venue.yaml", "--seconds", "0.5"])


CASES = [
    ("ed25519", "binance-private", "api_key"),
    ("es256", "coinbase-private", "key_name"),
    ("ed25519", "edwards.yaml", "key_name"),
]


@pytest.fixture
def edwards(here):
    """Coinbase with keys of Ed25519, as the comment in its dialect tells."""
    shipped = find("dialects", "coinbase-private").read_text("utf-8")
    Path("edwards.yaml").write_text(shipped.replace("jwt_es256", "jwt_eddsa"), "utf-8")


@pytest.mark.parametrize(("kind", "dialect", "name"), CASES)
def test_who_has_the_key_is_let_in_and_another_is_refused_in_the_venue_s_words(
    here, edwards, kind, dialect, name
):
    made(kind, here / "other.pem")
    with running(TESTS / "field" / "login_venue.py", made(kind, here / "own.pem")) as venue:
        own = tried(venue, dialect, with_key(name))
        other = tried(venue, dialect, with_key(name, "other.pem"))

    assert own.exit_code == 0, own.output
    assert "= update of user" in own.output
    assert "not valid" in other.output or "authentication failure" in other.output
    assert isinstance(other.exception, UnreachableError)
    sent = [line for line in own.output.splitlines() if " > " in line]
    assert len(sent) == 2
    assert not any("key-1" in line for line in sent)
    for line in (here / "own.pem").read_text("utf-8").splitlines():
        assert line not in own.output


def test_a_login_that_says_until_when_it_is_good_is_let_in_and_one_by_another_secret_is_not(here):
    secrets = {"own": "s3cret-1", "other": "s3cret-2"}
    with running(TESTS / "field" / "login_venue.py", made("ed25519", here / "any.pem")) as venue:
        own, other = (
            tried(venue, "bybit-private", {"api_key": "key-1", "api_secret": secret}, "orders")
            for secret in secrets.values()
        )

    assert own.exit_code == 0, own.output
    assert "= update of order" in own.output
    assert "Params Error" in str(other.exception)
    assert "s3cret" not in own.output + other.output + str(other.exception)


def test_a_key_of_the_wrong_kind_is_refused_before_anything_connects(here):
    made("ed25519", here / "own.pem")
    (here / "cdp.yaml").write_text(find("dialects", "coinbase-private").read_text("utf-8"))

    class Nowhere:
        host, port = "127.0.0.1", 9

    result = tried(Nowhere, "cdp.yaml", with_key("key_name"))

    assert isinstance(result.exception, ConfigError)
    assert str(result.exception) == (
        "venue.yaml:10: values.private_key: own.pem is a key of Ed25519, and jwt_es256 needs one"
        " of P-256 (openssl ecparam -name prime256v1 -genkey -noout makes one)"
    )
