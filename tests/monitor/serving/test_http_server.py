"""What both HTTP servers have from their common base, over real sockets."""

import http.client
import json
import socket

import pytest

from capacity.monitor.serving.credentials import client_context, server_context
from capacity.monitor.serving.http_server import Handler, HttpServer, cut, is_local, whole_number


class Hello(Handler):
    timeout = 5

    def do_GET(self):  # noqa: N802 - as http.server calls it
        if self.path == "/defect":
            raise ZeroDivisionError
        if self.is_authorized():
            self.answer([b"hel", b"lo"], "text/plain", {"X-One": "1"})
        else:
            self.send_error(http.HTTPStatus.UNAUTHORIZED, "no")


@pytest.fixture
def serve(in_a_thread):
    def start(host="127.0.0.1", token=None, tls=None):
        return in_a_thread(HttpServer((host, 0), Hello, token=token, tls=tls))

    return start


def get(server, path="/", context=None, **headers):
    if context is None:
        connection = http.client.HTTPConnection(*server.host_and_port, timeout=5)
    else:
        connection = http.client.HTTPSConnection(*server.host_and_port, timeout=5, context=context)
    connection.request("GET", path, headers=headers)
    response = connection.getresponse()
    found = response.status, response.read(), response.headers
    connection.close()
    return found


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_its_url_is_where_it_answers(serve, host):
    server = serve(host)
    status, body, headers = get(server)

    assert server.url == f"http://{f'[{host}]' if ':' in host else host}:{server.host_and_port[1]}"
    assert (status, body) == (200, b"hello")
    assert (headers["Content-Length"], headers["X-One"]) == ("5", "1")


@pytest.mark.parametrize(
    ("given", "status"),
    [("Bearer secret", 200), ("bearer secret", 200), ("Bearer other", 401), ("secret", 401)],
)
def test_only_the_bearer_of_its_token_is_let_in(serve, given, status):
    found, _body, headers = get(serve(token="secret"), Authorization=given)

    assert found == status
    assert headers["WWW-Authenticate"] == ("Bearer" if status == 401 else None)


def test_only_who_lacks_a_token_is_told_which_kind(serve):
    status, _body, headers = get(serve(), Host="elsewhere.example")

    assert (421, None) == (status, headers["WWW-Authenticate"])


def test_without_a_token_everybody_is_let_in(serve):
    assert get(serve(), Authorization="Bearer whatever")[0] == 200


def test_over_tls_a_client_that_is_silent_holds_up_only_itself(serve, certificate):
    server = serve(tls=server_context(certificate.file, certificate.key))
    silent = [socket.create_connection(server.host_and_port, timeout=5) for _ in range(3)]

    assert server.url.startswith("https://")
    assert get(server, context=client_context(certificate.file))[1] == b"hello"
    for client in silent:
        client.close()


def test_a_connection_that_is_cut_while_its_thread_waits_is_closed_for_its_client(
    serve, wait_until
):
    server, accepted = serve(), []
    serving = server.process_request
    server.process_request = lambda *request: (accepted.append(request[0]), serving(*request))
    with socket.create_connection(server.host_and_port, timeout=5) as client:
        wait_until(lambda: accepted)
        cut(accepted[0])

        assert client.recv(1) == b""


def test_a_client_that_went_away_is_not_told_but_a_defect_is(serve, capfd):
    server = serve()
    with socket.create_connection(server.host_and_port, timeout=5) as gone:
        gone.sendall(b"GET / HTTP/1.1\r\n")
    with pytest.raises(http.client.RemoteDisconnected):
        get(server, "/defect")
    server.shutdown()

    told = capfd.readouterr().err
    assert told.count("Exception occurred") == 1
    assert "ZeroDivisionError" in told


@pytest.mark.parametrize(
    ("host", "answered"),
    [
        (None, True),
        ("localhost", True),
        ("LOCALHOST.:9101", True),
        ("a.localhost:1", True),
        ("127.0.0.1:9101", True),
        ("10.0.0.5", True),
        ("[::1]:9101", True),
        ("::1", True),
        (socket.gethostname(), True),
        ("evil.example", False),
        ("evil.example:9101", False),
        ("localhost.evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("", False),
    ],
)
def test_without_a_token_only_this_hosts_own_names_are_answered_to(host, answered):
    assert answered == is_local(host)


@pytest.mark.parametrize(("token", "status"), [(None, 421), ("secret", 200)])
def test_with_a_token_a_host_may_have_any_name(serve, token, status):
    server = serve(token=token)

    assert status == get(server, Host="exchange.internal", Authorization="Bearer secret")[0]


@pytest.mark.parametrize(
    "headers",
    [
        b"Authorization: Bearer secret\r\nAuthorization: Bearer other\r\n",
        b"Host: localhost\r\n",
        b"Transfer-Encoding : chunked\r\n",
        b"Content-Length: 1\r\nContent-Length: 2\r\n",
    ],
)
def test_a_head_that_means_two_things_is_refused(serve, headers):
    with socket.create_connection(serve(token="secret").host_and_port, timeout=5) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n" + headers + b"\r\n")

        assert client.recv(65536).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "BREW"])
def test_what_is_not_served_is_refused_in_json(serve, method):
    connection = http.client.HTTPConnection(*serve().host_and_port, timeout=5)
    connection.request(method, "/")
    response = connection.getresponse()

    assert (501, "application/json") == (response.status, response.headers["Content-Type"])
    assert set(json.loads(response.read())) == {"error"}
    connection.close()


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        ("12", 12),
        ("9" * 18, 10**18 - 1),
        ("9" * 19, None),
        ("-1", None),
        ("", None),
        ("٣", None),
        ("1_0", None),
    ],
)
def test_a_number_has_few_digits_and_no_sign(text, number):
    assert number == whole_number(text)


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (b"GET /", b"505"),
        (b"GET / HTTP/0.9", b"505"),
        (b"GET / HTTP/0.5", b"505"),
        (b"GET / HTTP/2.0", b"505"),
        (b"GET / HTTP/1.0", b"200"),
        (b"GET / HTTP/1.1", b"200"),
    ],
)
def test_every_answer_says_its_status_as_http_before_1_0_did_not(serve, line, status):
    with socket.create_connection(serve().host_and_port, 5) as connection:
        connection.sendall(line + b"\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(4096), b""))

    assert answer.startswith(b"HTTP/1.1 " + status)
