"""Another status than 200 comes with what it says and the remedy that fits it."""

from email.message import Message

import pytest

from capacity.sources.refusals import refusal
from capacity.sources.web import Answer


def said(status, body=b"", **headers):
    told = Message()
    for name, value in headers.items():
        told[name.replace("_", "-")] = value
    return str(refusal(Answer(status, told, body), "the page", "agent.a.url", "write another"))


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_named_with_where_it_leads_and_without_its_parameters(status):
    assert said(status, Location="https://h/metrics/?token=word") == (
        f"the page answers {status} and sends us to https://h/metrics/;"
        " no redirect is followed: correct agent.a.url"
    )


def test_who_asks_for_credentials_is_given_a_file():
    assert said(401, b"no", WWW_Authenticate='Basic realm="a; b"') == (
        'the page answers 401 and asks for Basic realm="a, b"; set agent.a.token_file or'
        " agent.a.basic_auth_file to a file with what it accepts"
    )
    assert said(401, b"no tenant").startswith("the page answers 401 (no tenant); set agent.a.token")
    assert "of somebody who may read there" in said(403)


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_who_has_no_room_is_asked_again(status):
    assert f"the page answers {status}; try again when it" in said(status)


def test_a_failure_of_its_own_stands_in_its_log_and_in_one_line():
    assert said(500, b"a failed; b\n\tfailed\xff") == (
        "the page answers 500 (a failed, b  failed\ufffd); look into its log, since the failure is its own"
    )


@pytest.mark.parametrize("status", [204, 304, 400, 404])
def test_any_other_has_the_remedy_of_who_asked(status):
    assert f"the page answers {status}; write another" == said(status)


@pytest.mark.parametrize(("length", "is_cut"), [(80, False), (81, True)])
def test_what_it_says_is_cut(length, is_cut):
    assert is_cut == ("…" in said(404, b"x" * length))
