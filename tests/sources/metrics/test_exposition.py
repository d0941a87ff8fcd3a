"""The text format: what prometheus.io documents, and what is none of it."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.sources.metrics.exposition import series_in

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
        for each in series_in(page, lambda _name: True, 7.0)
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
    series = series_in(DOCUMENTED, lambda name: name.startswith("metric_"), 7.0)

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
        series_in(f"good 1\n{line}\n", lambda _name: True, 7.0)


def test_one_series_twice_is_an_error():
    page = 'a{b="c",d="e"} 1\na{d="e",b="c"} 2\n'
    with pytest.raises(ValueError, match=r"line 2: .* is there twice"):
        series_in(page, lambda _name: True, 7.0)


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
    [series] = series_in(f"metric{{{inner}}} {value!r}\n", lambda _name: True, 7.0)

    assert labels == series.labels
    assert value == series.value or (math.isnan(value) and math.isnan(series.value))
