"""Where REST is served apart from the WebSocket."""

import pytest

from capacity.domain.errors import ConfigError
from capacity.loadgen.wire.polls import polls_of
from capacity.settings.dialect import load_dialect
from capacity.settings.locate import find
from capacity.settings.target import load_target

TARGET = """\
target: 1
name: t
host: ws.venue.com
port: 8443
tls: true
dialect: deribit
symbols: [A]
channels: [ticker]
rest: {operation: time}
"""


@pytest.fixture
def target(tmp_path):
    def read(more=""):
        path = tmp_path / "t.yaml"
        path.write_text(TARGET + more, "utf-8")
        return load_target(path)

    return read


@pytest.mark.parametrize(
    ("more", "url"),
    [
        ("", "https://ws.venue.com:8443"),
        ("http: {host: api.venue.com}\n", "https://api.venue.com:8443"),
        ("http: {host: api.venue.com, port: 80, tls: false}\n", "http://api.venue.com:80"),
        ("http: {port: 9000}\n", "https://ws.venue.com:9000"),
    ],
)
def test_requests_go_where_the_target_file_says(target, more, url):
    (poll,) = polls_of(target(more), load_dialect(find("dialects", "deribit")))

    assert f"{url}/api/v2/public/get_time" == poll.url
    assert f"Host: {url.partition('//')[2]}".encode() in poll.head


@pytest.mark.parametrize(
    ("more", "wrong"),
    [
        ("http: {host: a/b}\n", "http.host: must be a host name"),
        ("http: {port: 0}\n", "http.port: must be greater than or equal to 1"),
        ("http: {url: x}\n", "http.url: unknown key"),
    ],
)
def test_what_is_no_host_or_port_is_refused(target, more, wrong):
    with pytest.raises(ConfigError, match=wrong):
        target(more)
