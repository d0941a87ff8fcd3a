import socket
import threading
from dataclasses import replace

import pytest

from capacity.delivery.mail import MailServer, message, send, server_in
from capacity.domain.errors import ConfigError, NotDeliveredError

HERE = MailServer(
    host="127.0.0.1", port=25, has_tls_from_start=False, user=None, password=None, sender="a@b.example"
)  # fmt: skip
MAIL = message("a@b.example", "ops@example.com", "feed: ≈ 590", "one\ntwo", {"x.html": "<p>é</p>"})


def test_a_mail_arrives_whole_with_the_report_beside_it(mail_host):
    host = mail_host()
    send(replace(HERE, port=host.port), MAIL)
    (mail,) = host.mails()
    (page,) = mail.iter_attachments()

    assert (mail["To"], mail["Subject"]) == ("ops@example.com", "feed: ≈ 590")
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_body(("plain",)).get_content().split() == ["one", "two"]
    assert (page.get_filename(), page.get_content().strip()) == ("x.html", "<p>é</p>")


def test_a_mail_larger_than_the_server_takes_is_refused_and_not_tried_again(mail_host):
    host = mail_host("--size", "500")
    with pytest.raises(ConfigError, match=r"the mail server refused the mail .it answered 552"):
        send(replace(HERE, port=host.port), MAIL)

    assert host.mails() == []


def test_a_server_elsewhere_that_cannot_encrypt_gets_nothing(mail_host, monkeypatch):
    host = mail_host()
    monkeypatch.setattr(MailServer, "is_here", False)
    with pytest.raises(ConfigError, match=r"lacks what is needed .*STARTTLS"):
        send(replace(HERE, port=host.port), MAIL)

    assert host.mails() == []


def test_nobody_there_may_be_tried_again():
    with pytest.raises(NotDeliveredError, match=r"127\.0\.0\.1:1: the mail server does not answer"):
        send(replace(HERE, port=1), MAIL)


def answering(lines):
    """Serve one client that is told *lines*, whatever it says; return the port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        with listener, listener.accept()[0] as line:
            line.settimeout(30)
            for answer in lines:
                line.sendall(answer)
                line.recv(4096)

    threading.Thread(target=serve, daemon=True).start()
    return listener.getsockname()[1]


@pytest.mark.parametrize(
    ("answer", "error", "said"),
    [
        (b"451 later\r\n", NotDeliveredError, "the mail server answered 451"),
        (b"550 no such user\r\n", ConfigError, "refused the receiver .it answered 550"),
    ],
)
def test_a_receiver_that_is_refused_for_now_may_be_tried_again(answer, error, said):
    port = answering([b"220 here\r\n", b"250 here\r\n", b"250 ok\r\n", answer, b"250 ok\r\n"])
    with pytest.raises(error, match=said):
        send(replace(HERE, port=port), MAIL)


@pytest.mark.parametrize(
    ("url", "host", "port", "tls", "user"),
    [
        ("smtp://mail.example", "mail.example", 587, False, None),
        ("smtps://ann%40x@mail.example", "mail.example", 465, True, "ann@x"),
        ("smtp://[::1]:2525", "::1", 2525, False, None),
    ],
)
def test_the_environment_says_which_server(url, host, port, tls, user):
    server = server_in({"CAPACITY_SMTP_URL": url, "CAPACITY_MAIL_FROM": "c@x.example"})

    assert (server.host, server.port, server.has_tls_from_start) == (host, port, tls)
    assert (server.user, server.sender) == (user, "c@x.example")
    assert server.is_here == (host == "::1")


@pytest.mark.parametrize(
    "url", ["", "mail.example", "smtp://ann:hunter2@mail", "smtp://", "smtp://x:y"]
)
def test_a_server_that_cannot_be_is_told_without_its_password(url):
    with pytest.raises(ConfigError, match="CAPACITY_SMTP_URL: ") as error:
        server_in({"CAPACITY_SMTP_URL": url})

    assert "hunter2" not in str(error.value)


@pytest.mark.parametrize("receiver", ["", "a@b\r\nBcc: c@d"])
def test_an_address_that_is_none_or_hides_another_header_is_refused(receiver):
    with pytest.raises(ConfigError, match="no address to send to"):
        message("a@b.example", receiver, "x", "y", {})
