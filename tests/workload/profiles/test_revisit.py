"""What goes back to the target, after answers whose headers are known."""

import pytest

from capacity.workload.profiles.revisit import MOST_CHARACTERS, MOST_COOKIES, Revisit

URL = "http://exchange.example/ticker"
DATE = "Wed, 21 Oct 2015 07:28:00 GMT"


def after(*answers, has_validators=True, url=URL):
    """Return the headers of the next request of *url*; answers are status and headers."""
    revisit = Revisit(has_validators=has_validators)
    for status, headers in answers:
        revisit.learn(URL, status, lambda name, said=headers: said.get(name, []))
    return revisit.headers(url).decode("latin-1")


def test_a_first_visit_says_nothing():
    assert "" == after()


def test_validators_go_back_as_they_came():
    tag = 'W/"\xe9, 1"'

    assert f"If-None-Match: {tag}\r\nIf-Modified-Since: {DATE}\r\n" == after(
        (200, {"etag": [tag], "last-modified": [DATE]})
    )


def test_each_url_has_its_own_validators():
    assert "" == after((200, {"etag": ['"1"']}), url=f"{URL}/other")


def test_nobody_who_does_not_want_to_asks_conditionally():
    assert "" == after((200, {"etag": ['"1"']}), has_validators=False)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ((200, {"etag": ['"2"']}), 'If-None-Match: "2"\r\n'),
        ((200, {}), ""),
        ((304, {}), 'If-None-Match: "1"\r\n'),
        ((500, {"etag": ['"error"']}), 'If-None-Match: "1"\r\n'),
        ((200, {"etag": ["x" * (MOST_CHARACTERS + 1)]}), ""),
    ],
    ids=["newer", "without", "not modified", "an error's own", "too long"],
)
def test_the_last_whole_answer_counts(answer, expected):
    assert expected == after((200, {"etag": ['"1"']}), answer)


def test_only_who_has_a_validator_may_be_told_that_nothing_changed():
    revisit = Revisit(has_validators=True)
    before = revisit.asks_for_newer(URL)
    revisit.learn(URL, 200, lambda name: ['"1"'] if name == "etag" else [])

    assert (False, True) == (before, revisit.asks_for_newer(URL))


def test_cookies_go_back_to_the_target_whatever_the_status_and_the_address():
    set_cookies = ["session=a=b; Path=/; HttpOnly", " balancer=2"]

    assert "Cookie: session=a=b; balancer=2\r\n" == after(
        (503, {"set-cookie": set_cookies}), has_validators=False, url=f"{URL}/other"
    )


@pytest.mark.parametrize("ending", ["a=; Max-Age=0", "a=1; path=/; max-age=-1; Secure"])
def test_a_cookie_that_the_target_ends_is_forgotten(ending):
    assert "" == after((200, {"set-cookie": ["a=1"]}), (200, {"set-cookie": [ending]}))


def test_a_newer_cookie_takes_the_place_of_the_older():
    kept = (200, {"set-cookie": ["a=1; Max-Age=0600"]})

    assert "Cookie: a=2\r\n" == after(kept, (200, {"set-cookie": ["a=2"]}))


@pytest.mark.parametrize("cookie", ["", "no pair", "=nameless", "a=" + "x" * MOST_CHARACTERS])
def test_what_is_no_cookie_or_too_long_is_not_kept(cookie):
    assert "" == after((200, {"set-cookie": [cookie]}))


def test_a_target_cannot_fill_the_memory_with_cookies():
    sent = after((200, {"set-cookie": [f"c{n}=1" for n in range(1000)]}))

    assert MOST_COOKIES == sent.count("=1")
