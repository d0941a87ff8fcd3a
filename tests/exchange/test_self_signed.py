import shutil
import ssl

import pytest
import requests
import websocket

from capacity.domain.errors import PreflightError
from capacity.exchange.self_signed import CERTIFICATE, KEY, self_signed

TIMEOUT_S = 60.0
pytestmark = pytest.mark.skipif(
    shutil.which("openssl") is None, reason="the openssl program is missing: apt install openssl"
)


def test_a_client_that_trusts_the_certificate_is_served_over_tls(exchange, tmp_path):
    client = exchange(tls=self_signed(tmp_path / "made"))
    authority = str(tmp_path / "made" / CERTIFICATE)
    secure = client.http.replace("http", "https")
    status = requests.get(f"{secure}/status", verify=authority, timeout=TIMEOUT_S).json()
    connection = websocket.create_connection(
        client.ws.replace("ws", "wss", 1), timeout=TIMEOUT_S, sslopt={"ca_certs": authority}
    )
    connection.send('{"id":1,"method":"public/test"}')

    assert 0 == status["open_connections"]
    assert '"id":1' in connection.recv()
    connection.shutdown()


def test_who_does_not_trust_it_or_speaks_no_tls_harms_nobody(exchange, tmp_path, caplog):
    client = exchange(tls=self_signed(tmp_path))
    with pytest.raises(ssl.SSLCertVerificationError):
        websocket.create_connection(client.ws.replace("ws", "wss", 1), timeout=TIMEOUT_S)
    with pytest.raises((websocket.WebSocketException, OSError)):
        client.connect()
    answer = requests.get(
        f"{client.http.replace('http', 'https')}/status",
        verify=str(tmp_path / CERTIFICATE),
        timeout=TIMEOUT_S,
    )

    assert 200 == answer.status_code
    assert [] == caplog.records


def test_it_is_made_once_and_its_key_is_its_owners_alone(tmp_path):
    self_signed(tmp_path)
    before = (tmp_path / CERTIFICATE).read_bytes()
    self_signed(tmp_path)

    assert before == (tmp_path / CERTIFICATE).read_bytes()
    assert 0o600 == (tmp_path / KEY).stat().st_mode & 0o777
    assert {CERTIFICATE, KEY} == {path.name for path in tmp_path.iterdir()}


def test_what_cannot_be_used_is_one_sentence_with_a_remedy(tmp_path):
    for name in (CERTIFICATE, KEY):
        (tmp_path / name).write_text("none")
    with pytest.raises(PreflightError, match="remove both"):
        self_signed(tmp_path)


def test_a_folder_that_cannot_be_is_one_sentence(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(PreflightError, match="name another folder"):
        self_signed(tmp_path / "file" / "below")


def test_without_openssl_it_is_said_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PreflightError, match="apt install openssl"):
        self_signed(tmp_path / "made")
