"""Answers with bounds, and sentences for those that never come."""

import contextlib
import os
import socket
import threading

import pytest

from capacity.domain.errors import ConfigError, UnreachableError
from capacity.sources import web
from capacity.sources.web import Web, read_token


def place(url, **options):
    return Web(url, name="the page", remedy="start it", key="agent.pages.urls", **options)


def test_the_answer_comes_whatever_its_status(answering):
    answer = place(answering(b"gone", "410 Gone")).fetch("/x")

    assert (410, b"gone") == (answer.status, answer.body)
    assert not answer.is_ok


def test_token_and_accept_are_sent(serve, tmp_path):
    seen = {}

    def answer(environ, start_response):
        seen.update(environ)
        start_response("200 OK", [])
        return []

    token = tmp_path / "token"
    token.write_text("word\n")
    token.chmod(0o600)
    place(serve(answer), token_file=str(token), accept="text/plain").fetch("/x", {"a": "b c"})

    assert "Bearer word" == seen["HTTP_AUTHORIZATION"]
    assert ("text/plain", "a=b+c") == (seen["HTTP_ACCEPT"], seen["QUERY_STRING"])


def secret(folder, text):
    file = folder / "secret"
    file.write_text(text)
    file.chmod(0o600)
    return str(file)


def test_user_and_password_are_sent_where_basic_authentication_is_asked_for(serve, tmp_path):
    seen = {}

    def answer(environ, start_response):
        seen.update(environ)
        start_response("200 OK", [])
        return []

    place(serve(answer), basic_auth_file=secret(tmp_path, "anna:a:b c é\n")).fetch()

    assert "Basic YW5uYTphOmIgYyDDqQ==" == seen["HTTP_AUTHORIZATION"]


@pytest.mark.parametrize("text", ["", "anna", ":word", "anna:word\nbert:word", "anna:\a"])
def test_what_is_no_user_with_a_password_is_told(tmp_path, text):
    with pytest.raises(ConfigError, match=r"must hold one line, USER:PASSWORD$"):
        place("http://127.0.0.1:1", basic_auth_file=secret(tmp_path, text))


@pytest.mark.parametrize("path", ["/metrics", "/metrics/", "/"])
def test_the_page_itself_is_asked_for_as_its_address_stands(serve, path):
    seen = []

    def answer(environ, start_response):
        seen.append(environ["PATH_INFO"])
        start_response("200 OK", [])
        return []

    base = serve(answer).removesuffix("/metrics").rstrip("/")
    place(base + path).fetch()
    place(base + path).fetch("/below")

    assert [path, f"{path.rstrip('/')}/below"] == seen


def test_an_answer_in_an_encoding_that_nobody_asked_for_is_told(answering):
    url = answering(b"\x1f\x8b", headers=[("Content-Encoding", "gzip")])
    with pytest.raises(
        UnreachableError, match=r"^the page answers in gzip, which nobody asked for;"
    ):
        place(url).fetch()


def test_a_page_without_end_is_cut_off(serve, monkeypatch):
    monkeypatch.setattr(web, "MOST_BYTES", 1 << 20)

    def endless(_environ, start_response):
        start_response("200 OK", [])
        while True:
            yield b"x" * 65536

    with pytest.raises(UnreachableError, match=r"^the page answers with more than 1048576 bytes"):
        place(serve(endless)).fetch()


def test_a_page_that_drips_is_given_up(serve, monkeypatch):
    monkeypatch.setattr(web, "WHOLE_S", 0.2)

    def dripping(_environ, start_response):
        from gevent import sleep

        start_response("200 OK", [])
        while True:
            sleep(0.05)
            yield b"x" * 70000

    with pytest.raises(UnreachableError, match="took more than 0 s to answer; start it"):
        place(serve(dripping)).fetch()


def test_a_head_that_drips_is_given_up_as_a_body_is(dripping_head, monkeypatch):
    monkeypatch.setattr(web, "WHOLE_S", 0.3)
    port, closed = dripping_head

    with pytest.raises(UnreachableError, match="took more than 0 s to answer; start it"):
        place(f"http://127.0.0.1:{port}").fetch()
    assert closed.wait(30)  # Nobody is left who goes on reading.


@pytest.fixture
def dripping_head():
    """Serve one connection with headers that never end; return the port, and who sees it closed."""
    listener, closed = socket.create_server(("127.0.0.1", 0)), threading.Event()

    def drip():
        sock, _address = listener.accept()
        with sock, contextlib.suppress(OSError):
            sock.sendall(b"HTTP/1.1 200 OK\r\n")
            while not closed.wait(0.05):
                sock.sendall(b"X: y\r\n"[:1])
        closed.set()

    threading.Thread(target=drip, daemon=True).start()
    yield listener.getsockname()[1], closed
    closed.set()
    listener.close()


def test_no_redirect_is_followed_so_that_a_token_goes_to_nobody_else(answering, tmp_path):
    token = tmp_path / "token"
    token.write_text("word")
    token.chmod(0o600)
    seen = []
    headers = [("Location", "http://127.0.0.1:1/v1/info")]
    answer = place(answering(b"", "302 Found", headers), token_file=str(token)).fetch("/v1/info")

    assert 302 == answer.status
    assert [] == seen


def test_a_connection_is_kept_and_opened_anew_where_it_was_ended(serve):
    ports = []

    def answer(environ, start_response):
        ports.append(environ["REMOTE_PORT"])
        headers = [("Connection", "close")] if len(ports) == 2 else []
        start_response("200 OK", [("Content-Length", "2"), *headers])
        return [b"ok"]

    here = place(serve(answer))
    answers = [here.fetch("/").body for _ in range(4)]

    assert [b"ok"] * 4 == answers
    assert ports[0] == ports[1] != ports[2] == ports[3]


def test_several_may_ask_at_once(serve):
    from gevent import sleep, spawn

    def answer(environ, start_response):
        sleep(0.05)
        start_response("200 OK", [])
        return [environ["QUERY_STRING"].encode()]

    here = place(serve(answer))
    asked = [spawn(here.fetch, "/", {"n": str(n)}) for n in range(3)]

    assert [b"n=0", b"n=1", b"n=2"] == [each.get(timeout=30).body for each in asked]


def test_silence_is_named_with_its_cause_and_remedy():
    with pytest.raises(
        UnreachableError, match=r"does not answer \(ConnectionRefusedError\); start it$"
    ):
        place("http://127.0.0.1:1").fetch()


def test_authorities_that_are_not_there_are_a_fault_of_the_file():
    with pytest.raises(ConfigError, match=r"^/none: no such file"):
        place("https://127.0.0.1:1", ca_file="/none")


def test_speech_without_tls_where_tls_was_expected_is_told(exchange):
    with pytest.raises(
        UnreachableError, match=r"does not answer \(TLS.*\); write http:// in agent\.pages\.urls"
    ):
        place(exchange.url.replace("http:", "https:")).fetch()


@pytest.mark.parametrize("text", ["", "  \n", "two words", "bell\a"])
def test_a_token_is_one_word(tmp_path, text):
    file = tmp_path / "token"
    file.write_text(text)
    file.chmod(0o600)
    with pytest.raises(ConfigError, match="a token is one word of printable ASCII"):
        read_token(file)


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o602, 0o604])
def test_a_token_that_others_may_read_is_sent_nowhere(tmp_path, mode):
    file = tmp_path / "token"
    file.write_text("word")
    file.chmod(mode)
    with pytest.raises(ConfigError, match="may read or write it; chmod go="):
        place("http://127.0.0.1:1", token_file=str(file))


def test_a_token_in_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ConfigError, match="is no regular file"):
        read_token(tmp_path / "pipe")


def test_no_proxy_of_the_environment_stands_between(answering, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")

    assert place(answering()).fetch().is_ok
