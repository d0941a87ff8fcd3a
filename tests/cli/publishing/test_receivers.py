import base64

import pytest

from capacity.cli.publishing import receivers
from capacity.cli.publishing.receivers import is_address, sender_to, tell
from capacity.domain.errors import ConfigError, NotDeliveredError
from capacity.reporting.publishing.news import news_of

NEWS = news_of("nightly-1", "feed", 1e9, None, failures=["nobody answers"])
SECRET = "whsec_" + base64.b64encode(b"a key of some length").decode()


@pytest.mark.parametrize("text", ["https://x/y", "env:HOOK", "mailto:ops@x", "ftp://x"])
def test_what_looks_like_an_address_is_none_of_a_directory(text):
    assert is_address(text)


@pytest.mark.parametrize("text", ["out", "./http", "/srv/reports", "environment"])
def test_a_path_is_a_directory(text):
    assert not is_address(text)


@pytest.mark.parametrize(
    ("address", "environment", "said"),
    [
        ("ftp://x", {}, "must be a directory, https://"),
        ("https://", {}, "must be a directory, https://"),
        ("env:HOOK", {}, "the environment's HOOK is not set"),
        ("env:HOOK", {"HOOK": "hunter2"}, "the environment's HOOK is no http"),
        ("https://x", {"CAPACITY_WEBHOOK_SECRET": "hunter2!"}, "is no webhook secret"),
        ("mailto:ops@x.example", {}, "CAPACITY_SMTP_URL: is not set"),
        ("mailto:", {"CAPACITY_SMTP_URL": "smtp://localhost"}, "no address to send to"),
    ],
)
def test_what_could_never_be_sent_is_told_before_anything_is_done(address, environment, said):
    with pytest.raises(ConfigError) as error:
        sender_to(address, environment)

    assert said in str(error.value)
    assert "hunter2" not in str(error.value)


def test_a_webhook_of_the_environment_is_signed_with_its_secret(monkeypatch):
    posted = []
    monkeypatch.setattr(receivers.webhook, "post", lambda *told: posted.append(told))
    environment = {"HOOK": "https://hooks.example/T0", "CAPACITY_WEBHOOK_SECRET": SECRET}
    sender_to("env:HOOK", environment)(NEWS, None)
    ((url, headers, body),) = posted

    assert url == "https://hooks.example/T0"
    assert headers["webhook-id"] == headers["ce-id"]
    assert headers["webhook-signature"].startswith("v1,")
    assert b"nobody answers" in body


def test_one_that_cannot_be_reached_keeps_no_other_from_being_told(monkeypatch):
    sent = []
    monkeypatch.setattr(receivers, "RETRY_S", 0.0)
    monkeypatch.setattr(receivers.mail, "send", lambda server, mail: sent.append(mail))
    monkeypatch.setenv("CAPACITY_SMTP_URL", "smtp://localhost:25")
    failures = tell(["http://127.0.0.1:1/", "mailto:ops@x.example"], NEWS, "<p>report</p>")

    assert [type(each) for each in failures] == [NotDeliveredError]
    (mail,) = sent
    assert mail["Subject"] == "feed: The run failed"
    assert [each.get_filename() for each in mail.iter_attachments()] == ["nightly-1.html"]
