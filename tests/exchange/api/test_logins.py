import hmac

import pytest

from capacity.domain.errors import ConfigError
from capacity.exchange.api.logins import Credentials, load_credentials
from capacity.exchange.api.rpc import RpcError

KNOWN = {"ann": "secret"}
ASKED = {"grant_type": "client_credentials", "client_id": "ann", "client_secret": "secret"}
SIGNED = {
    "grant_type": "client_signature",
    "client_id": "ann",
    "timestamp": 1_000,
    "nonce": "abcd",
    "data": "",
    "signature": hmac.new(b"secret", b"1000\nabcd\n", "sha256").hexdigest(),
}


@pytest.mark.parametrize("params", [ASKED, SIGNED])
def test_who_knows_the_secret_is_logged_in(params):
    assert "ann" == Credentials(KNOWN).logged_in(params)


@pytest.mark.parametrize(
    "params",
    [
        ASKED | {"client_secret": "guessed"},
        ASKED | {"client_id": "bob"},
        ASKED | {"client_id": "bob", "client_secret": ""},
        ASKED | {"client_id": ""},
        {"grant_type": "client_credentials", "client_id": "ann"},
        SIGNED | {"nonce": "abce"},
        SIGNED | {"signature": ""},
        SIGNED
        | {"client_id": "bob", "signature": hmac.new(b"", b"1000\nabcd\n", "sha256").hexdigest()},
    ],
)
def test_who_does_not_is_refused_with_the_venues_error(params):
    with pytest.raises(RpcError) as refused:
        Credentials(KNOWN).logged_in(params)

    assert (13004, "invalid_credentials") == (refused.value.code, refused.value.message)


def test_without_known_clients_anybody_is_but_nobody_without_a_name():
    assert "bob" == Credentials(None).logged_in(ASKED | {"client_id": "bob"})
    with pytest.raises(RpcError):
        Credentials(None).logged_in({})


def test_requests_that_are_signed_name_a_known_client():
    assert (True, False) == (Credentials(KNOWN).knows("ann"), Credentials(KNOWN).knows("bob"))
    assert Credentials(None).knows("bob")


def test_clients_are_read_from_a_file_and_a_mistake_has_its_line(tmp_path):
    file = tmp_path / "clients.yaml"
    file.write_text("credentials: 1\nclients:\n  ann: secret\n")
    file.chmod(0o600)
    assert KNOWN == load_credentials(file)
    file.write_text("credentials: 1\nclients:\n  ann: 5\n")
    with pytest.raises(ConfigError, match=r"clients\.yaml:3: clients\.ann"):
        load_credentials(file)


@pytest.mark.parametrize(
    ("mode", "who"), [(0o604, "others"), (0o602, "others"), (0o640, "its group")]
)
def test_a_file_that_others_may_read_or_write_is_refused_with_the_command_that_mends_it(
    tmp_path, mode, who
):
    file = tmp_path / "clients.yaml"
    file.write_text("credentials: 1\nclients:\n  ann: secret\n")
    file.chmod(mode)
    with pytest.raises(ConfigError) as refused:
        load_credentials(file)
    assert f"--credentials {file}: {who} may read or write it; chmod go= {file}" == str(
        refused.value
    )


def test_a_wrong_login_leaves_the_connection_without_an_account(exchange, ask):
    connection = exchange(secrets=KNOWN).connect()
    wrong = ask(connection, "public/auth", **(ASKED | {"client_secret": "guessed"}))
    assert (13004, "invalid_credentials") == (wrong["error"]["code"], wrong["error"]["message"])
    assert 13009 == ask(connection, "private/get_account_summaries")["error"]["code"]
    assert "access_token" in ask(connection, "public/auth", **ASKED)["result"]
    assert "result" in ask(connection, "private/get_account_summaries")


def test_over_http_a_signature_of_nobody_known_is_none(exchange):
    client = exchange(secrets=KNOWN)
    statuses = [
        client.get(
            "private/get_account_summaries",
            headers={"Authorization": f"deri-hmac-sha256 id={client_id},ts=1,nonce=n,sig=s"},
        ).status_code
        for client_id in ("ann", "bob")
    ]

    assert [200, 400] == statuses
