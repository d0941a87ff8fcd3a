"""Target files."""

import json
import runpy
from pathlib import Path

import pytest

from capacity.domain.resources import Resource
from capacity.domain.target import TargetSpec
from capacity.settings.target import Target, load_target

TARGET_FILES = runpy.run_path(str(Path(__file__).with_name("target_files.py")))
GOOD = TARGET_FILES["GOOD"]
file = TARGET_FILES["file"]
changed = TARGET_FILES["changed"]
refusal = TARGET_FILES["refusal"]
SHIPPED = Path(__file__).parents[2] / "config" / "targets"


def test_a_target_says_where_it_is_and_what_of_it_is_loaded(file):
    target = load_target(file(GOOD))

    assert (target.host, target.port, target.tls) == ("10.0.0.7", 443, True)
    assert target.channels == ("book", "ticker")
    assert target.agent is not None
    assert target.agent.url == "http://10.0.0.7:9101"
    assert target.limits[Resource.APPLICATION_CONNECTIONS].value == 4000
    assert target.rest is not None
    assert target.rest.operation == "book"
    assert (target.rest.connections, target.rest.conditional) == ("keep_alive", False)


def test_a_run_says_of_its_target_what_its_record_says_later(file):
    slo = "{request_latency: {limit_s: 0.2}, delivery_delay: {quantile: 0.99, limit_s: 0.1}}"
    arrivals = "{value: 50, source: limit_req}"
    target = load_target(file(changed(slo=slo, arrival_limit=arrivals)))
    spec = target.spec()

    assert spec == TargetSpec.from_document(json.loads(json.dumps(spec.document)))
    assert [each.limit_s for each in spec.objectives] == [0.1, 0.2]
    assert spec.arrival_limit_per_s == 50.0
    assert [limit.value for limit in spec.limits] == [4000.0]
    assert (spec.name, spec.host, spec.port) == (target.name, target.host, target.port)


def test_a_target_survives_the_way_to_a_worker(file):
    target = load_target(file(GOOD))

    assert Target.model_validate(target.model_dump(mode="json")) == target


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_shipped_target_is_named_like_its_file(path):
    assert load_target(path).name == path.stem


@pytest.mark.parametrize("host", ["127.0.0.1", '"::1"', "exchange.example", "localhost"])
def test_any_host_is_allowed(file, host):
    assert load_target(file(changed(host=host))).host == host.strip('"')


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"port": "0"}, "12: port: must be greater than or equal to 1 (got 0)"),
        ({"port": None}, "1: port: is required"),
        ({"target": "2"}, "12: target: must be 1 (got 2)"),
        ({"tls": "on"}, '12: tls: must be true or false (got "on")'),
        (
            {"host": "http://a"},
            "12: host: must be a host name or an address and nothing else (got 'http://a')",
        ),
        (
            {"host": "a:80"},
            "12: host: must be a host name or an address and nothing else (got 'a:80')",
        ),
        (
            {"name": "../x"},
            (
                "12: name: must be 1 to 60 letters, digits, dots, dashes and underscores, the first "
                "no sign (got '../x'); it becomes part of file names"
            ),
        ),
        ({"channels": "[]"}, "12: channels: needs at least 1 item (got [])"),
        (
            {"channels": "[book, tikcer]"},
            (
                "12: channels[1]: dialect deribit has no channel tikcer, it has book, ticker, "
                "trades, quote"
            ),
        ),
        ({"channels": "[book, book]"}, "12: channels[1]: book is listed twice"),
        (
            {"symbols": "[]"},
            (
                "7: channels[0]: is made of {symbol}; list what that stands for in symbols\n"
                "t.yaml:7: channels[1]: is made of {symbol}; list what that stands for in symbols"
            ),
        ),
        (
            {"rest": "{operation: nothing}"},
            (
                "12: rest.operation: dialect deribit has no operation nothing, it has book, ticker, "
                "time"
            ),
        ),
        (
            {"rest": "{operation: book, connections: pooled}"},
            "12: rest.connections: must be 'keep_alive' or 'new' (got \"pooled\")",
        ),
        (
            {"agent": '{url: "ftp://a"}'},
            "12: agent.url: must be http://HOST:PORT or https://HOST:PORT",
        ),
        (
            {"agent": '{url: "http://me:secret@a:1"}'},
            "12: agent.url: must not carry credentials; use token_file, or basic_auth_file of exporters and Prometheus",
        ),
        (
            {"agent": '{url: "http://a:1", token: secret}'},
            "12: agent.token: unknown key; did you mean token_file?",
        ),
    ],
)
def test_a_target_that_cannot_be_is_refused_with_its_line(file, changes, problem):
    assert refusal(file(changed(**changes))) == f"t.yaml:{problem}"


@pytest.mark.parametrize(
    ("limits", "problem"),
    [
        ("cpu: {value: 0, source: s}", "limits.cpu.value: must be greater than 0 (got 0)"),
        ("cpu: {value: 2}", "limits.cpu.source: is required"),
        ("cpu: 2", "limits.cpu: must be a mapping (got 2)"),
    ],
)
def test_a_declared_limit_needs_a_value_and_who_says_so(file, limits, problem):
    text = GOOD.replace(
        "application_connections: {value: 4000, source: maxconn in haproxy.cfg}", limits
    )

    assert refusal(file(text)) == f"t.yaml:11: {problem}"


def test_a_rate_of_admission_is_positive_and_has_a_source(file):
    good = GOOD + "arrival_limit: {value: 50, source: limit_req in nginx.conf}\n"
    bad = GOOD + "arrival_limit: {value: 0, source: limit_req in nginx.conf}\n"

    assert load_target(file(good)).arrival_limit.value == 50
    assert "arrival_limit.value: must be greater than 0 (got 0)" in refusal(file(bad))


def test_a_limit_on_an_unknown_resource_lists_the_resources(file):
    text = GOOD.replace("application_connections", "connections")

    assert refusal(file(text)).startswith(
        "t.yaml:11: limits.connections: must be 'application_connections', 'descriptors',"
    )


def test_an_unknown_dialect_lists_those_there_are(file):
    said = refusal(file(changed(dialect="deribt")))

    assert said == (
        f"t.yaml:12: dialect: config/dialects has no 'deribt', nor has {SHIPPED.parent}/dialects, which "
        "is shipped; did you mean deribit? give one of "
        f"{', '.join(sorted(path.stem for path in (SHIPPED.parent / 'dialects').glob('*.yaml')))}"
        ", or a path"
    )


def test_a_dialect_with_an_error_of_its_own_is_named(file):
    Path("own.yaml").write_text("dialect: 1\nname: own\n")

    assert refusal(file(changed(dialect="own.yaml"))) == (
        "own.yaml:1: ws: is required\n"
        "own.yaml:1: channels: is required\n"
        "own.yaml:1: data: is required"
    )


@pytest.mark.parametrize(
    ("replaced", "words"),
    [
        ({"slo": {"delivery_delay": {"limit_s": 0}}}, "slo.delivery_delay.limit_s"),
        ({"slo": {"delivery_delay": {"limit_s": 1, "quantile": 95}}}, "quantile"),
        ({"slo": {"delay": {"limit_s": 1}}}, "slo.delay"),
    ],
)
def test_an_objective_that_cannot_be_one_is_refused(file, replaced, words):
    assert words in refusal(file(changed(**replaced)))


def test_an_objective_among_the_limits_is_refused_with_its_place(file):
    text = GOOD.replace("application_connections", "delivery_delay")

    assert "give it in slo" in refusal(file(text))
