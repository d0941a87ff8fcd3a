"""The text format: what prometheus.io documents, and what is none of it."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.sources.metrics.exposition import page_of

# The example of prometheus.io/docs/instrumenting/exposition_formats.
DOCUMENTED = r"""
# HELP http_requests_total The total number of HTTP requests.
# TYPE http_requests_total counter
http_requests_total{method="post",code="200"} 1027 1395066363000
http_requests_total{method="post",code="400"}    3 1395066363000

# Escaping in label values:
msdos_file_access_time_seconds{path="C:\\DIR\\FILE.TXT",error="Cannot find file:\n\"FILE.TXT\""} 1.458255915e9

# Minimalistic line:
metric_without_timestamp_and_labels 12.47

# A weird metric from before the epoch:
something_weird{problem="division by zero"} +Inf -3982045
http_request_duration_seconds_bucket{le="+Inf"} 144320
"""


def everything(page):
    return {
        (each.name, *sorted(each.labels.items())): (each.value, each.at)
        for each in page_of(page, lambda _name: True, 7.0).series
    }


def test_the_documented_example_is_read_as_documented():
    assert everything(DOCUMENTED) == {
        ("http_requests_total", ("code", "200"), ("method", "post")): (1027, 1395066363.0),
        ("http_requests_total", ("code", "400"), ("method", "post")): (3, 1395066363.0),
        (
            "msdos_file_access_time_seconds",
            ("error", 'Cannot find file:\n"FILE.TXT"'),
            ("path", r"C:\DIR\FILE.TXT"),
        ): (1.458255915e9, 7.0),
        ("metric_without_timestamp_and_labels",): (12.47, 7.0),
        ("something_weird", ("problem", "division by zero")): (math.inf, -3982.045),
        ("http_request_duration_seconds_bucket", ("le", "+Inf")): (144320, 7.0),
    }


def test_only_wanted_names_are_kept():
    series = page_of(DOCUMENTED, lambda name: name.startswith("metric_"), 7.0).series

    assert ["metric_without_timestamp_and_labels"] == [each.name for each in series]


@pytest.mark.parametrize(
    "line",
    [
        "<!DOCTYPE html>",
        "<html><body>404</body></html>",
        '{"status": "fine"}',
        "a",
        "a{} ",
        'a{b="c} 1',
        "a{b=c} 1",
        'a{b="c"d="e"} 1',
        'a{b="c",b="d"} 1',
        r'a{b="\q"} 1',
        "a one",
        "a 1_000",
        "a 1 soon",
        f"a 1 {'9' * 19}",
        f"a 1 {'9' * 5000}",
        "9a 1",
        "a1",
    ],
)
def test_a_line_that_is_not_in_the_format_condemns_the_page(line):
    with pytest.raises(ValueError, match=r"^line 2: "):
        page_of(f"good 1\n{line}\n", lambda _name: True, 7.0)


def test_one_series_twice_is_an_error():
    page = 'a{b="c",d="e"} 1\na{d="e",b="c"} 2\n'
    with pytest.raises(ValueError, match=r"line 2: .* is there twice"):
        page_of(page, lambda _name: True, 7.0)


@given(
    labels=st.dictionaries(
        st.from_regex(r"[a-z_][a-z0-9_]{0,8}", fullmatch=True),
        st.text(st.characters(exclude_categories=["C", "Z"])),
        max_size=4,
    ),
    value=st.floats(),
)
def test_what_an_exporter_escapes_comes_back(labels, value):
    def escaped(text):
        return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")

    inner = ",".join(f'{name}="{escaped(text)}"' for name, text in labels.items())
    [series] = page_of(f"metric{{{inner}}} {value!r}\n", lambda _name: True, 7.0).series

    assert labels == series.labels
    assert value == series.value or (math.isnan(value) and math.isnan(series.value))


NEWER = '{"used","le"="1.0"} 1\n{"used",le="2.0"} 2\n{"used"} 3\nused{le="3.0"} 4 # {trace="a"} 0.5 1700000000.123\nused{le="4.0"} 5 1700000000.5\nused{le="5.0"} 6 1700000000\nused{le="not # {one}"} 7\nused{le="a\u2028b\x85c\x0bd"} 8'


def test_what_is_newer_than_the_format_is_read_where_it_is_asked_for():
    found = everything(NEWER)

    assert [1, 2, 3, 4, 5, 6, 7, 8] == [value for value, _at in found.values()]
    assert [1700000000.5, 1700000000.0] == [at for _value, at in found.values() if at != 7.0]
    assert {"a\u2028b\x85c\x0bd", "not # {one}"} <= {dict(name[1:]).get("le") for name in found}


@pytest.mark.parametrize(
    ("line", "is_odd"),
    [
        ('{"http.time","service.name"="feed"} 12', False),
        ('other{"a.b"="c"} 1', False),
        ('other{a="\udce9"} 1', True),
        ("other 1 1700000000.123", False),
        ("other one", True),
        ("other", True),
    ],
)
def test_a_line_about_another_metric_is_left_out_and_counted_unless_it_is_only_newer(line, is_odd):
    page = page_of(f"good 1\n{line}\n", lambda name: name == "good", 7.0)

    assert [1] == [each.value for each in page.series]
    assert (int(is_odd), f"line 2: {line!r}" if is_odd else None) == (
        page.left_out,
        page.first_left_out,
    )


@pytest.mark.parametrize(("good", "is_page"), [(1, True), (0, False)])
def test_a_page_of_which_most_cannot_be_read_is_none(good, is_page):
    text = "good 1\n" * good + "<html>\n"
    if is_page:
        assert 1 == page_of(text, lambda _name: False, 7.0).left_out
    else:
        with pytest.raises(ValueError, match=r"^line 1: '<html>'"):
            page_of(text, lambda _name: False, 7.0)


def test_a_name_of_a_label_may_stand_in_quotes():
    page = r'used{"service.name"="a","\"x\\"="b",c="d"} 1'

    assert {("used", ('"x\\', "b"), ("c", "d"), ("service.name", "a")): (1, 7.0)} == everything(
        page
    )


@pytest.mark.parametrize("line", ['used{""="a"} 1', 'used{"a"="b",a="c"} 1', 'used{"a"} 1'])
def test_no_name_and_one_name_twice_are_errors(line):
    with pytest.raises(ValueError, match=r"^line 1: "):
        everything(line)
