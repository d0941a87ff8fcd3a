"""Headers of handshakes and requests."""

import pytest

from capacity.settings.dialects.headers import header_findings, request_header_findings
from capacity.workload.dialects.endpoints import Secret

HERE = ("ws", "headers")


@pytest.mark.parametrize(
    ("name", "value"),
    [("A", "x"), ("X-A!", "a b"), ("A", "{connection}"), ("A", Secret(env="B")), ("A", "")],
)
def test_a_token_with_one_line_is_a_header(name, value):
    assert [] == list(header_findings({name: value}, HERE, ["connection"]))


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("A b", "x", "is no name of a header"),
        ("A:", "x", "is no name of a header"),
        ("A", " x", "must be one line"),
        ("A", "x\n", "must be one line"),
        ("A", "{token}", "{token} has no value here; there is {connection}"),
        ("A", Secret(), "needs exactly one of file and env"),
        ("A", Secret(env="B", file="c"), "needs exactly one of file and env"),
    ],
)
def test_a_header_that_cannot_be_sent_is_named_with_its_place(name, value, sentence):
    ((place, found),) = header_findings({name: value}, HERE, ["connection"])

    assert (*HERE, name) == place
    assert found.startswith(sentence)


@pytest.mark.parametrize("name", ["Connection", "content-length", "Transfer-Encoding"])
def test_what_a_request_sets_itself_is_refused(name):
    assert [] == list(header_findings({name: "x"}, HERE))

    ((place, found),) = request_header_findings({name: "x"}, HERE, ())
    assert (*HERE, name) == place
    assert "is set by what is sent" in found
