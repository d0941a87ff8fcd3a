"""Where samples may be pushed to."""

import pytest

from capacity.domain.errors import ConfigError
from capacity.monitor.serving.push import push_url


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9102",
        "http://127.8.8.8:9102/",
        "http://[::1]:9102",
        "http://localhost:9102",
        "https://10.0.0.9:9102",
        "https://load.example/agent",
    ],
)
def test_the_loopback_and_tls_are_safe(url):
    assert push_url(url, may_be_plain=False) == url.rstrip("/")


@pytest.mark.parametrize("url", ["http://10.0.0.9:9102", "http://load.example", "http://[2001::1]"])
def test_plain_http_to_others_has_to_be_asked_for(url):
    with pytest.raises(ConfigError, match="use https, or add --allow-plain-http"):
        push_url(url, may_be_plain=False)

    assert push_url(url, may_be_plain=True) == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "10.0.0.9:9102",
        "ftp://x",
        "http://",
        "http://x:0",
        "http://x:99999",
        "http://[::1",
        "http://x/a b",
    ],
)
def test_what_is_no_address_is_refused(url):
    with pytest.raises(ConfigError, match="must be http://HOST:PORT"):
        push_url(url, may_be_plain=True)


@pytest.mark.parametrize("url", ["https://u:p@x", "https://x?token=1", "https://x#f"])
def test_an_address_carries_no_secrets(url):
    with pytest.raises(ConfigError, match="must not carry credentials"):
        push_url(url, may_be_plain=True)
