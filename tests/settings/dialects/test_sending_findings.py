"""Requests, steps and heartbeats that cannot be sent, each refused with its line."""

import pytest

from capacity.domain.errors import ConfigError
from capacity.settings.dialect import load_dialect


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
        ('heartbeat: [{every_s: 3, send: {t: "{now}"}}]', "[0].send: {now} has no value here; there is {id}, {connection}, {now_s}, {now_ms}, {now_us}, {nonce}"),
        ('heartbeat: [{every_s: 3, send: {t: "{channel:list}"}}]', "[0].send: {channel:list} has no value here; there is {id}, {connection}, {now_s}, {now_ms}, {now_us}, {nonce}"),
        ('heartbeat: [{every_s: 3, send: {t: "{id:float}"}}]', "[0].send: {id:float} has an unknown form; there are int, str, list, entries, lower, upper"),
        ('heartbeat: [{every_s: 3, send: {t: "{id:list}"}}]', "[0].send: {id:list} does not go together; it is no list: {id}"),
        ('subscribe: {send: {c: "{channel:list}"}, confirm: none}', ".send: {channel:list} does not go together; it is no list: {channel}"),
        ('subscribe: {send: {c: "{channels:str}"}, confirm: none}', ".send: {channels:str} does not go together; it is a list: {channels:list}"),
        ('subscribe: {send: {c: "all {channels:list}"}, confirm: none}', ".send: {channels:list} is a list and must stand alone"),
        ('subscribe: {send: {c: "{channel}", x: "{Symbol}"}, confirm: none}', ".send: {Symbol} has no value here; there is {channels}, {channel}, {id}, {connection}, {now_s}, {now_ms}, {now_us}, {nonce}"),
        ("opening: [{}]", "[0]: does nothing; give send, send_text, answer or answer_text"),
        ("opening: [{send: {}, send_text: x}]", "[0]: has send and send_text; only one of them"),
        ("opening: [{answer: {where: {}}, answer_text: x}]", "[0]: has answer and answer_text; only one of them"),
        ("opening: [{send: {}, keep: {a: b}}]", "[0].keep: needs answer, the frame that has the values"),
        ('opening: [{answer: {where: {i: "{id:int}"}}}]', "[0].answer.where.i: is matched to the request's id, but send has none"),
        ('opening: [{send: {a: "{token}"}}]', "[0].send: {token} has no value here; there is {id}, {connection}, {now_s}, {now_ms}, {now_us}, {nonce}"),
        ('opening: [{send: {a: "{id+5}"}}]', "[0].send: {id+5} adds to what is no time; there are {now_s}, {now_ms}, {now_us}, each in its own unit"),
        ('opening: [{send: {a: "{nonce+5:str}"}}]', "[0].send: {nonce+5:str} adds to what is no time; there are {now_s}, {now_ms}, {now_us}, each in its own unit"),
        ('opening: [{send: {a: "{later+5}"}}]', "[0].send: {later+5} has no value here; there is {id}, {connection}, {now_s}, {now_ms}, {now_us}, {nonce}"),
        ('heartbeat: [{when: {ping: {exists: true}}, send: {pong: "{ping+5}"}}]', "[0].send: {ping+5} adds to what is no time; there are {now_s}, {now_ms}, {now_us}, each in its own unit"),
        ('opening: [{send: {a: "{now_ms + 5}"}}]', "[0].send: {now_ms + 5} is no placeholder, which is {name} or {name:form} with one of the forms int, str, list, entries, lower, upper, or a time and more, {now_ms+10000}; a brace meant as such is followed by a space"),
        ('opening: [{send: {a: "{now_ms+1e4}"}}]', "[0].send: {now_ms+1e4} is no placeholder, which is {name} or {name:form} with one of the forms int, str, list, entries, lower, upper, or a time and more, {now_ms+10000}; a brace meant as such is followed by a space"),
        ('subscribe: {send: ["{channel}", "{id:int}"], ack: {where: {a: "{id+1:int}"}}}', ".ack.where.a: {id+1:int} stands for nothing here: only {id:int} and {id:str} do; {equals: text} for the text"),
        ("needs: [Token]", "[0]: must be small letters, digits and underscores (got 'Token')"),
        ("needs: [id]", "[0]: id means something already; take another name"),
        ("subscribe: {send: {a: 1}, confirm: none}", ".send: names no channel; put {channels:list}, {channel} or {channel.part} in it"),
        ('subscribe: {send: ["{channels:list}"]}', ": confirm: ack needs an ack; else confirm by first_data or none"),
        ('subscribe: {send: ["{channels:list}"], confirm: none, batch: 0}', ".batch: must be greater than 0 (got 0)"),
        ('subscribe: {send: ["{channel}"], ack: {where: {id: "{id:int}"}}}', ".ack.where.id: is matched to the request's id, but send has none"),
        ('subscribe: {send: ["{channel}", "{id}"], ack: {where: {a: "{id}", b: "{id}"}}}', ".ack.where: has the request's id twice"),
        ('unsubscribe: {send: ["{channel}"]}', ": there is no subscribe that it could undo"),
        ('subscribe: {send: {p: "{channel.p}"}, confirm: none}', ".send: {channel.p}: no channel's request has p"),
    ],
)  # fmt: skip
def test_a_rule_that_cannot_be_sent_is_refused_with_its_line(dialect_file, plainest, line, problem):
    with pytest.raises(ConfigError) as error:
        load_dialect(dialect_file(plainest + line))

    section = line.partition(":")[0]
    assert str(error.value) == f"d.yaml:7: {section}{problem}"


def test_an_answer_may_name_any_value_of_the_frame_that_it_answers(dialect_file, plainest):
    rule = (
        'heartbeat: [{when: {ping: {exists: true}}, send: {pong: "{ping}", at: "{$.params.at}"}}]'
    )

    assert load_dialect(dialect_file(plainest + rule)).heartbeat[0].send["pong"] == "{ping}"


def test_braces_with_a_space_are_no_place(dialect_file, plainest):
    line = 'subscribe: {send: {id: "{channel}", q: "subscription { tick { seq } }"}, confirm: none}'

    assert load_dialect(dialect_file(plainest + line)).subscribe is not None


PARTS = """\
dialect: 1
name: d
ws: {url: "{scheme}://{host}:{port}/"}
needs: [secret]
signatures: {sign: {function: hmac_sha256, key: "{secret}", text: "{channel.name}{now_s}"}}
channels:
  a: {wire: "a.{symbol}", request: {name: a, auth: "{sign}"}}
  b: {wire: "b.{symbol}", request: {name: b, rest: ["{symbol}", "{id:int}"]}}
subscribe:
  send: {to: "{channel.name}", auth: "{channel.auth}", rest: "{channel.rest}"}
  ack: {where: {id: "{id:int}"}, alias: number}
unsubscribe: {send: {number: "{alias}"}}
data: {where: {seq: {exists: true}}, key: n}
"""


def test_a_part_that_not_every_channel_has_may_be_the_value_of_a_key(dialect_file):
    read = load_dialect(dialect_file(PARTS))

    assert read.has_aliases
    assert list(read.signatures) == ["sign"]


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('rest: "{channel.rest}"', 'rest: ["{channel.rest}"]', "10: subscribe.send: {channel.rest}: the request of a has no rest, and only a key can be left out"),
        ('rest: "{channel.rest}"', 'rest: "{channels:list}"', "10: subscribe.send: {channel.name} is of one channel, so that {channels:list} cannot stand beside it"),
        ('auth: "{channel.auth}"', 'auth: "{alias}"', "10: subscribe.send: {alias} has no value before the confirmation"),
        ('auth: "{sign}"', 'auth: "{sing}"', "7: channels.a.request: {sing} has no value here; there is {symbol}, {id}, {connection}, {now_s}, {now_ms}, {now_us}, {nonce}, {secret}, {sign}, {alias}"),
        ("alias: number}", "alias: number}\n  confirm: none", "11: subscribe.ack.alias: needs confirm: ack, for only the answer hands it out"),
        ("key: n}", "items: n}", "11: subscribe.ack.alias: needs data.key, the path of it in updates"),
        ("alias: number", "alias: $.number", "11: subscribe.ack.alias: starts at the frame's root anyway: write number (got '$.number')"),
        ('unsubscribe: {send: {number: "{alias}"}}', 'unsubscribe: {send: {number: "{alias}"}, ack: {where: {}, alias: x}}', "12: unsubscribe.ack.alias: is of no use here; a confirmation of subscribe hands it out"),
        ("needs: [secret]", "needs: [secret, alias]", "4: needs[1]: alias means something already; take another name"),
    ],
)  # fmt: skip
def test_parts_and_aliases_that_cannot_be_had_are_refused_with_their_line(
    dialect_file, old, new, problem
):
    assert PARTS.count(old) == 1
    with pytest.raises(ConfigError) as error:
        load_dialect(dialect_file(PARTS.replace(old, new)))

    assert f"d.yaml:{problem}" in str(error.value).splitlines()


def test_an_alias_of_one_of_several_channels_needs_the_channel_s_name(dialect_file, plainest):
    line = 'subscribe: {send: ["{channels:list}"], ack: {where: {}, alias: n}}'
    with pytest.raises(
        ConfigError, match=r"needs ack\.channel, to tell which channel of the reques"
    ):
        load_dialect(dialect_file(plainest + line))
