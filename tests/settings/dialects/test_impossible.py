"""Rules that nothing can fit are refused before anything connects, with file, line and key."""

import pytest

from capacity.domain.errors import ConfigError
from capacity.settings.dialect import load_dialect

GOOD = """\
dialect: 1
name: d
ws: {url: "{scheme}://{host}:{port}/"}
channels:
  a: {wire: "a.{symbol}"}
subscribe:
  send: {id: "{id:int}", args: "{channels:list}"}
  ack: {where: {id: "{id:int}"}}
heartbeat:
  - {when: {t: ping}}
data: {where: {t: x}, key: ch}
sequence:
  - {rule: plus_one, seq: n}
"""


@pytest.fixture
def refusal(tmp_path):
    def read(old, new):
        path = tmp_path / "d.yaml"
        assert GOOD.count(old) == 1
        path.write_text(GOOD.replace(old, new), "utf-8")
        with pytest.raises(ConfigError) as caught:
            load_dialect(path)
        return str(caught.value).removeprefix(f"{tmp_path}/")

    return read


def test_the_example_is_right(tmp_path):
    (tmp_path / "d.yaml").write_text(GOOD, "utf-8")

    assert "d" == load_dialect(tmp_path / "d.yaml").name


@pytest.mark.parametrize("typed", ["{channels: list}", "{Channels:LIST}", "{1st}", "{a b}"])
def test_what_is_almost_a_placeholder_is_refused(refusal, typed):
    said = refusal('args: "{channels:list}"', f'args: "{{channels:list}}", more: "{typed}"')

    assert said.startswith("d.yaml:7: subscribe.send: ")
    assert "is no placeholder" in said or "has no value here" in said or "unknown form" in said


def test_a_brace_that_is_meant_as_such_is_none(tmp_path):
    text = GOOD.replace('args: "', 'query: "{ price } {\\"a\\": 1} []{}", args: "')
    (tmp_path / "d.yaml").write_text(text, "utf-8")

    assert load_dialect(tmp_path / "d.yaml").subscribe is not None


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "{t: ping}",
            '{t: "{channel}"}',
            "d.yaml:10: heartbeat[0].when.t: {channel} stands for nothing",
        ),
        (
            '{where: {id: "{id:int}"}}',
            '{where: {id: "{ID}"}}',
            "d.yaml:8: subscribe.ack.where.id: {ID} st",
        ),
        (
            '{where: {id: "{id:int}"}}',
            '{where: {id: "{id:float}"}}',
            "d.yaml:8: subscribe.ack.where.id: {id:float} stands for nothing",
        ),
        ("key: ch", 'key: "{ch"', "d.yaml:11: data.key: {ch has a brace without a path"),
        ("{t: ping}", "{t: {in: []}}", "d.yaml:10: heartbeat[0].when.t.in: is empty"),
        (
            "key: ch",
            "key: $.ch",
            "d.yaml:11: data.key: starts at the frame's root anyway: write ch",
        ),
        ("{t: x}", "{$.t: x}", "d.yaml:11: data.where.$.t: starts at the frame's root anyway"),
        (
            "  - {rule: plus_one, seq: n}",
            "  - {rule: none}\n  - {rule: plus_one, seq: n}",
            "d.yaml:14: sequence[1]: is never reached",
        ),
        (
            "data: {where: {t: x}, key: ch}",
            "data:\n  - {where: {}, key: ch}\n  - {where: {t: x}, key: ch}",
            "d.yaml:13: data[1].where: is never reached",
        ),
        (
            "  - {when: {t: ping}}",
            "  - {when: {t: ping}}\n  - {when: {t: ping}, send: {}}",
            "d.yaml:11: heartbeat[1].when: is never reached",
        ),
        (
            '  a: {wire: "a.{symbol}"}',
            '  a: {wire: "a.{symbol}"}\n  b: {wire: "a.{symbol}"}',
            "d.yaml:6: channels.b.wire: a.{symbol} is another channel's name already",
        ),
    ],
)
def test_what_nothing_can_fit_is_refused(refusal, old, new, said):
    assert refusal(old, new).startswith(said)


@pytest.mark.parametrize(
    ("messages", "wrong"),
    [
        ("pattern: '('", "messages.pattern: no regular expression"),
        ("pattern: 'x'", "messages.pattern: has no named group"),
        ("pattern: '(?P<a>x)', divider: nul", "messages.pattern: divides messages by itself"),
        ("pattern: '(?P<a>x)', content: opaque", "messages.pattern: is of no use"),
    ],
)
def test_a_pattern_that_reads_nothing_is_refused(refusal, messages, wrong):
    assert wrong in refusal("channels:\n", f"messages: {{{messages}}}\nchannels:\n")


@pytest.mark.parametrize(
    ("send", "wrong"),
    [
        (
            '{id: "{id:int}", args: "{channels:list}"}',
            "subscribe.send: must have a type out of CONNECT",
        ),
        ('{type: SUBSCRIBE, args: "{channels:list}"}', "subscribe.send: SUBSCRIBE needs id"),
    ],
)
def test_a_request_that_is_no_mqtt_packet_is_refused(tmp_path, send, wrong):
    text = GOOD.replace("channels:\n", "messages: {content: mqtt}\nchannels:\n")
    text = text.replace('{id: "{id:int}", args: "{channels:list}"}', send)
    path = tmp_path / "d.yaml"
    path.write_text(text, "utf-8")

    with pytest.raises(ConfigError, match=wrong):
        load_dialect(path)
