"""Dialect files."""

import json
from pathlib import Path

import pytest

from capacity.domain.errors import ConfigError
from capacity.settings.dialect import dump, load_dialect, parse

SHIPPED = Path(__file__).parents[2] / "config" / "dialects"
GOOD = """\
dialect: 1
name: d
ws: {url: "{scheme}://{host}:{port}/"}
http: {base: "{scheme}://{host}:{port}"}
channels: {a: {wire: "a.{symbol}"}}
data: {where: {seq: {exists: true}}}
"""


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def write(text):
        Path("d.yaml").write_text(text)
        return Path("d.yaml")

    return write


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_shipped_dialect_survives_the_way_to_a_worker(path):
    dialect = load_dialect(path)

    assert dialect.name == path.stem
    assert parse(json.loads(json.dumps(dump(dialect)))) == dialect


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("heartbeat: [{on: connect}]", "[0].on: unknown key; allowed: when, when_text, every_s, send, send_text"),
        ("heartbeat: [{when: connect}]", "[0]: has nothing to send; give send or send_text"),
        ("heartbeat: [{send: {}}]", "[0]: needs exactly one of when, when_text and every_s"),
        ("heartbeat: [{when: {a: 1}, every_s: 3, send: {}}]", "[0]: needs exactly one of when, when_text and every_s"),
        ("heartbeat: [{when: open, send: {}}]", "[0].when: must be connect or a matcher (got 'open')"),
        ("heartbeat: [{every_s: 0, send: {}}]", "[0].every_s: must be greater than 0 (got 0)"),
        ("heartbeat: [{every_s: 3, send: {}, send_text: x}]", "[0]: has send and send_text; only one of them"),
        ('heartbeat: [{every_s: 3, send: {t: "{now}"}}]', "[0].send: {now} has no value here; there is {id}, {connection}, {now_s}, {now_ms}, {nonce}"),
        ('heartbeat: [{every_s: 3, send: {t: "{channel:list}"}}]', "[0].send: {channel:list} has no value here; there is {id}, {connection}, {now_s}, {now_ms}, {nonce}"),
        ('heartbeat: [{every_s: 3, send: {t: "{id:float}"}}]', "[0].send: {id:float} has an unknown form; there are int, str, list"),
        ('heartbeat: [{every_s: 3, send: {t: "{id:list}"}}]', "[0].send: {id:list} does not go together; it is no list: {id}"),
        ('subscribe: {send: {c: "{channel:list}"}, confirm: none}', ".send: {channel:list} does not go together; it is no list: {channel}"),
        ('subscribe: {send: {c: "{channels:str}"}, confirm: none}', ".send: {channels:str} does not go together; it is a list: {channels:list}"),
        ('subscribe: {send: {c: "all {channels:list}"}, confirm: none}', ".send: {channels:list} is a list and must stand alone"),
        ('subscribe: {send: {c: "{channel}", x: "{Symbol}"}, confirm: none}', ".send: {Symbol} has no value here; there is {channels}, {channel}, {id}, {connection}, {now_s}, {now_ms}, {nonce}"),
        ("opening: [{}]", "[0]: does nothing; give send, send_text, answer or answer_text"),
        ("opening: [{send: {}, send_text: x}]", "[0]: has send and send_text; only one of them"),
        ("opening: [{answer: {where: {}}, answer_text: x}]", "[0]: has answer and answer_text; only one of them"),
        ("opening: [{send: {}, keep: {a: b}}]", "[0].keep: needs answer, the frame that has the values"),
        ('opening: [{answer: {where: {i: "{id:int}"}}}]', "[0].answer.where.i: is matched to the request's id, but send has none"),
        ('opening: [{send: {a: "{token}"}}]', "[0].send: {token} has no value here; there is {id}, {connection}, {now_s}, {now_ms}, {nonce}"),
        ("needs: [Token]", "[0]: must be small letters, digits and underscores (got 'Token')"),
        ("needs: [id]", "[0]: id means something already; take another name"),
        ("signatures: {s: {function: md5, key: a, text: b}}", ".s.function: must be 'hmac_sha256' or 'hmac_sha512' (got \"md5\")"),
        ('signatures: {s: {function: hmac_sha256, key: "{k}", text: b}}', ".s.key: {k} has no value here; there is {id}, {connection}, {now_s}, {now_ms}, {nonce}, {channel}"),
        ("messages: {packing: lz4}", ".packing: must be 'none', 'gzip', 'zlib', 'deflate', 'brotli' or 'zstd' (got \"lz4\")"),
        ("sequence: [{rule: range, seq: u}]", "[0]: rule range needs first"),
        ("sequence: [{rule: plus_one, seq: u, first: U}]", "[0].first: rule plus_one has no use for it; range has"),
        ("sequence: [{rule: plus_one, seq: u, snapshot: {}}]", "[0].snapshot: needs missing or where"),
        ("ignore: [{a..b: 1}]", "[0].a..b: no path; keys joined by dots, such as params.channel (got 'a..b')"),
        ("ignore: [{a: {like: 1}}]", "[0].a: must be a value or one of exists, equals, in, regex with its operand"),
        ("ignore: [{a: {exists: 1}}]", "[0].a.exists: must be true or false"),
        ("ignore: [{a: {in: 1}}]", "[0].a.in: must be a list"),
        ('ignore: [{a: {regex: "("}}]', "[0].a.regex: no regular expression: missing ), unterminated subpattern at position 0"),
        ("ignore: [{a: {regex: 1}}]", "[0].a.regex: no regular expression: first argument must be string or compiled pattern"),
        ("time: {path: a, unit: h}", ".unit: must be 's', 'ms', 'us', 'ns' or 'rfc3339' (got \"h\")"),
        ('time: {path: "a[]", unit: s}', ".path: no path; keys joined by dots, such as params.channel (got 'a[]')"),
        ("sequence: [{rule: plus_one}]", "[0]: rule plus_one needs seq"),
        ("sequence: [{rule: prev_link, seq: a}]", "[0]: rule prev_link needs prev"),
        ("sequence: [{rule: plus_one, seq: a, prev: b}]", "[0].prev: rule plus_one has no use for it; prev_link has"),
        ("subscribe: {send: {a: 1}, confirm: none}", ".send: names no channel; put {channels:list} or {channel} in it"),
        ('subscribe: {send: ["{channels:list}"]}', ": confirm: ack needs an ack; else confirm by first_data or none"),
        ('subscribe: {send: ["{channels:list}"], confirm: none, batch: 0}', ".batch: must be greater than 0 (got 0)"),
        ('subscribe: {send: ["{channel}"], ack: {where: {id: "{id:int}"}}}', ".ack.where.id: is matched to the request's id, but send has none"),
        ('subscribe: {send: ["{channel}", "{id}"], ack: {where: {a: "{id}", b: "{id}"}}}', ".ack.where: has the request's id twice"),
        ('unsubscribe: {send: ["{channel}"]}', ": there is no subscribe that it could undo"),
        ("rest: {book: {path: book}}", ".book.path: must begin with / (got 'book')"),
        ('rest: {book: {path: "/{symbl}"}}', ".book.path: {symbl} has no value here; there is {symbol}"),
        ("rest: {book: {path: /, time: {path: a b, unit: s}}}", ".book.time.path: no path; keys joined by dots, such as params.channel (got 'a b')"),
        ("rest: {book: {path: /, time: {path: a, unit: h}}}", ".book.time.unit: must be 's', 'ms', 'us', 'ns' or 'rfc3339' (got \"h\")"),
        ("rest: {book: {path: /, method: PUT}}", ".book.method: must be 'GET' or 'POST' (got \"PUT\")"),
    ],
)  # fmt: skip
def test_a_rule_that_cannot_work_is_refused_with_its_line(file, line, problem):
    with pytest.raises(ConfigError) as error:
        load_dialect(file(GOOD + line))

    section = line.partition(":")[0]
    assert str(error.value) == f"d.yaml:7: {section}{problem}"


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("{scheme}://{host}:{port}/", "{scheme}://{hots}/", "3: ws.url: {hots} has no value here; there is {scheme}, {host}, {port}, {channel}, {channels}, {connection}"),
        ("{port}/", "{port}/{channel}", "3: ws.url: names a channel, so that ws.idle_channel is needed too"),
        ('{port}/"', '{port}/{channel}{channels}", idle_channel: x', "3: ws.url: has {channel} and {channels}; only one of them"),
        ("a.{symbol}", "a.{instrument}", "5: channels.a.wire: {instrument} has no value here; there is {symbol}"),
        ('{a: {wire: "a.{symbol}"}}', "{}", "5: channels: needs at least one channel"),
        ('http: {base: "{scheme}://{host}:{port}"}', "rest: {a: {path: /}}", "4: rest: needs http.base, the address before every path"),
    ],
)  # fmt: skip
def test_an_address_or_channel_that_cannot_be_is_refused_with_its_line(file, old, new, problem):
    assert old in GOOD
    with pytest.raises(ConfigError) as error:
        load_dialect(file(GOOD.replace(old, new)))

    assert str(error.value) == f"d.yaml:{problem}"


def test_the_plainest_dialect_is_a_dialect(file):
    assert load_dialect(file(GOOD)).channels["a"].wire == "a.{symbol}"


def test_an_answer_may_name_any_value_of_the_frame_that_it_answers(file):
    rule = (
        'heartbeat: [{when: {ping: {exists: true}}, send: {pong: "{ping}", at: "{$.params.at}"}}]'
    )

    assert load_dialect(file(GOOD + rule)).heartbeat[0].send["pong"] == "{ping}"


def test_files_of_headers_are_relative_to_the_dialect(file, tmp_path):
    text = GOOD.replace('/"}\nhttp', '/", headers: {A: {file: key}}}\nhttp')
    file(text)

    assert load_dialect(tmp_path / "d.yaml").ws.headers["A"].file == str(tmp_path / "key")


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ("{A: {file: a, env: B}}", "ws.headers.A: needs exactly one of file and env, or is a text"),
        ('{"A b": x}', "ws.headers.A b: is no name of a header: letters, digits and dashes"),
        ('{A: " x"}', "ws.headers.A: must be one line of visible characters"),
        ('{A: "{token}"}', "ws.headers.A: {token} has no value here; there is {connection}"),
        ("{Upgrade: x}", "ws.headers.Upgrade: belongs to the handshake"),
        (
            "{Sec-WebSocket-Protocol: x}",
            "ws.headers.Sec-WebSocket-Protocol: belongs to the handshake; use ws.subprotocols",
        ),
    ],
)
def test_headers_that_cannot_be_sent_are_refused(file, headers, said):
    text = GOOD.replace('/"}\nhttp', f'/", headers: {headers}}}\nhttp')
    with pytest.raises(ConfigError) as error:
        load_dialect(file(text))

    assert f"d.yaml:3: {said}" == str(error.value)


def test_braces_with_a_space_are_no_place(file):
    line = 'subscribe: {send: {id: "{channel}", q: "subscription { tick { seq } }"}, confirm: none}'

    assert load_dialect(file(GOOD + line)).subscribe is not None
