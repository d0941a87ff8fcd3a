"""The agent section of a target file."""

import pytest

from capacity.domain.errors import ConfigError
from capacity.settings.agent import Agent, host_and_port
from capacity.settings.target import load_target

TARGET = """\
target: 1
name: mine
host: 10.0.0.7
port: 443
dialect: deribit
symbols: [BTC-PERPETUAL]
channels: [book]
"""


@pytest.fixture
def refusal(tmp_path):
    def said(section):
        file = tmp_path / "t.yaml"
        file.write_text(f"{TARGET}agent: {section}\n")
        with pytest.raises(ConfigError) as error:
            load_target(file)
        return str(error.value).removeprefix(str(file))

    return said


@pytest.fixture
def loaded(tmp_path):
    def agent(section):
        file = tmp_path / "t.yaml"
        file.write_text(f"{TARGET}agent: {section}\n")
        return load_target(file).agent

    return agent


@pytest.mark.parametrize(
    "section",
    [
        '{url: "http://10.0.0.7:9101"}',
        '{listen: "127.0.0.1:9102"}',
        '{prometheus: {url: "http://p:9090", process: {groupname: exchange}, interval_s: 5}}',
        '{exporters: {urls: ["http://h:9100/metrics", "http://h:9256/metrics"], device: eth0}}',
        "{local: {port: 8080}}",
    ],
)
def test_one_origin_is_enough(loaded, section):
    assert isinstance(loaded(section), Agent)


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ("{}", "url, listen, prometheus, exporters and local (got none of them)"),
        ('{url: "http://h:1", local: {port: 1}}', "exactly one of url, listen, prometheus"),
        ('{url: "http://h:1", local: {port: 1}}', "(got url and local)"),
    ],
)
def test_there_is_exactly_one_origin(refusal, section, said):
    assert said in refusal(section)


@pytest.mark.parametrize(
    ("section", "said"),
    [
        (
            '{listen: "0.0.0.0:9102"}',
            ":8: agent.listen: 0.0.0.0:9102 is reachable from other hosts",
        ),
        ('{listen: "localhost:9102"}', "must be an IP address of this host and a port"),
        ('{listen: "127.0.0.1"}', "must be an IP address of this host and a port"),
        ('{listen: "127.0.0.1:0"}', "must be an IP address of this host and a port"),
        ('{listen: "127.0.0.1:1", token_file: /none}', "agent.token_file: /none: cannot be read"),
        ('{listen: "127.0.0.1:1", key_file: /none}', "certificate_file and key_file go together"),
        ('{listen: "127.0.0.1:1", ca_file: /c}', "agent.ca_file: is of no use without url"),
        ('{url: "http://h:1", key_file: /k}', "are of no use without listen"),
        ("{local: {port: 1}, token_file: /t}", "agent.token_file: is of no use without url or"),
        ('{url: "ftp://h:1"}', "agent.url: must be http://HOST:PORT"),
        ('{url: "http://user:secret@h:1"}', "must not carry credentials"),
        ("{exporters: {urls: []}}", "agent.exporters.urls: needs at least 1 item"),
        ('{prometheus: {url: "http://h:1", interval_s: 60}}', "less than or equal to 15"),
        ('{prometheus: {url: "http://h:1", process: {"a b": c}}}', "must be names of labels"),
        ('{prometheus: {url: "http://h:1", process: {a: ""}}}', "each with its value of 1 to 200"),
        (
            '{exporters: {urls: ["http://u:p@h:1"]}}',
            "must not carry credentials; use token_file, or basic_auth_file",
        ),
        ('{exporters: {urls: ["http://h:1/m?a=b"]}}', "must not carry parameters; name the page"),
        (
            '{exporters: {urls: ["http://h:1/m"], token_file: /a, basic_auth_file: /b}}',
            "takes token_file or basic_auth_file, not both",
        ),
        ("{prometheus: {}}", "agent.prometheus.url: is required"),
        (
            '{prometeus: {url: "http://h:1"}}',
            "agent.prometeus: unknown key; did you mean prometheus?",
        ),
    ],
)
def test_what_cannot_be_is_said_with_its_place(refusal, section, said):
    assert said in refusal(section)


def test_a_secret_that_others_may_read_is_refused(refusal, tmp_path):
    token = tmp_path / "token"
    token.write_text("word")
    token.chmod(0o644)
    said = refusal(f'{{listen: "0.0.0.0:9102", token_file: {token}}}')

    assert f"others may read or write it; chmod o= {token}" in said


def test_beyond_loopback_a_token_goes_over_tls_or_by_an_explicit_word(loaded, refusal, tmp_path):
    token = tmp_path / "token"
    token.write_text("word")
    token.chmod(0o600)

    section = f'listen: "0.0.0.0:9102", token_file: {token}'
    assert "takes the token in the clear: add certificate_file" in refusal(f"{{{section}}}")
    assert loaded(f"{{{section}, allow_plain_http: true}}").listen == "0.0.0.0:9102"


@pytest.mark.parametrize(("length", "is_taken"), [(200, True), (201, False)])
def test_a_label_has_any_characters_up_to_a_length(loaded, refusal, length, is_taken):
    value = ('x y"} é' * 40)[:length]
    section = f"{{prometheus: {{url: 'http://h:1', process: {{a: '{value}'}}}}}}"
    if is_taken:
        assert {"a": value} == loaded(section).prometheus.process
    else:
        assert "must be names of labels" in refusal(section)


def test_the_slash_at_the_end_of_a_page_stays(loaded):
    section = '{exporters: {urls: ["http://h:1/metrics/"]}}'

    assert ("http://h:1/metrics/",) == loaded(section).exporters.urls


@pytest.mark.parametrize(
    ("text", "parts"),
    [("127.0.0.1:9102", ("127.0.0.1", 9102)), ("[::1]:9102", ("::1", 9102))],
)
def test_an_address_has_two_parts(text, parts):
    assert parts == host_and_port(text)
