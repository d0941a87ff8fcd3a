"""Headers are the user's: each in place of what would be sent by itself."""

import pytest

from capacity.domain.answers.finding import Status

NAME = "feed.example.test"


def is_served(started):
    return started.load(lambda counters: counters.deliveries or counters.failures).failures == {}


@pytest.mark.parametrize("where", ["dialect", "target"])
def test_a_host_takes_the_place_of_the_address(feed, where):
    headers = {"Host": NAME}
    url = "{scheme}://{host}:{port}"
    started = feed(
        "only_host",
        NAME,
        target={"rest": {"operation": "snapshot"}, "headers": headers if where == "target" else {}},
        ws={"url": f"{url}/ws", "headers": headers if where == "dialect" else {}},
        http={"base": url},
    )

    assert is_served(started)
    assert started.request() is None


def test_a_name_that_is_not_served_is_told_with_its_remedy(feed):
    (finding,) = feed("only_host", NAME).findings()

    assert "421 Misdirected Request" in finding.statement
    assert "Set Host in headers of the target file to the name that the target serves" == (
        finding.remedy
    )


@pytest.mark.parametrize("source", ["file", "env", "value"])
def test_a_key_reaches_socket_and_requests_and_is_written_down_nowhere(
    feed, tmp_path, monkeypatch, source
):
    (tmp_path / "key").touch(0o600)
    (tmp_path / "key").write_text("Bearer s3cret\n")
    monkeypatch.setenv("FIELD_AUTHORIZATION", "Bearer s3cret")
    value = {
        "file": {"file": "key"},
        "env": {"env": "FIELD_AUTHORIZATION"},
        "value": "Bearer {token}",
    }[source]
    given = {"needs": ["token"]} if source == "value" else {}
    started = feed(
        "with_key",
        "s3cret",
        target={
            "rest": {"operation": "snapshot"},
            "headers": {"Authorization": value},
            "values": {"token": "s3cret"} if source == "value" else {},
        },
        **given,
    )

    assert is_served(started)
    assert started.request() is None


def test_a_missing_key_is_told_for_socket_and_request(feed):
    started = feed("with_key", "s3cret", target={"rest": {"operation": "snapshot"}})
    (finding,) = started.findings()
    request = started.request()

    for each in (finding, request):
        assert Status.FAILURE is each.status
        assert "401" in each.statement
        assert 'WWW-Authenticate: Bearer realm="feed"' in each.statement
        assert "headers" in each.remedy


def test_no_origin_is_sent_unless_it_is_asked_for(feed):
    assert is_served(feed("without_origin"))


def test_an_origin_that_is_asked_for_is_sent(feed):
    started = feed("without_origin", target={"headers": {"Origin": "https://a.test"}})

    assert not is_served(started)
