"""What makes no sense over an event stream or a long poll is refused before anything connects."""

import pytest

from capacity.domain.errors import ConfigError
from capacity.settings.dialect import load_dialect

GOOD = """\
dialect: 1
name: d
ws:
  url: "{scheme}://{host}:{port}/"
  transport: event_stream
channels:
  a: {wire: "{symbol}"}
data: {where: {event: message}, items: data}
"""


@pytest.fixture
def load(tmp_path):
    def read(text):
        (tmp_path / "d.yaml").write_text(text, "utf-8")
        return load_dialect(tmp_path / "d.yaml")

    return read


@pytest.mark.parametrize("transport", ["event_stream", "long_poll"])
def test_both_are_taken_as_they_are(load, transport):
    assert load(GOOD.replace("event_stream", transport)).ws.transport == transport


@pytest.mark.parametrize("transport", ["event_stream", "long_poll"])
@pytest.mark.parametrize(
    ("more", "place"),
    [
        ('subscribe: {send: {s: "{channel}"}, confirm: none}', "subscribe"),
        ("opening: [{send: {login: 1}}]", "opening.0"),
        ("heartbeat: [{every_s: 9, send: {ping: 1}}]", "heartbeat.0"),
        ("  compression: deflate", "ws.compression"),
        ("  subprotocols: [a]", "ws.subprotocols"),
        ("  total_requests_per_s: 5", "ws.total_requests_per_s"),
        ("messages: {content: mqtt}", "messages.content"),
    ],
)
def test_what_sends_or_is_of_websockets_is_refused(load, transport, more, place):
    base = GOOD.replace("event_stream", transport)
    text = base.replace("channels:", f"{more}\nchannels:") if more[0] == " " else base + more
    with pytest.raises(ConfigError, match=f"d.yaml.*{place.split('.')[0]}"):
        load(text)


@pytest.mark.parametrize("more", ["packing: gzip", "divider: newline", 'pattern: "(?P<a>.)"'])
def test_events_are_divided_by_themselves(load, more):
    with pytest.raises(ConfigError, match="divided by themselves"):
        load(f"{GOOD}messages: {{{more}}}")


def test_headers_of_the_next_poll_are_of_polls(load):
    text = GOOD.replace("  transport: event_stream", "  next_headers: {A: B}")
    with pytest.raises(ConfigError, match="next_headers"):
        load(text)
