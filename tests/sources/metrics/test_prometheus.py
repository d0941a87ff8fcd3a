"""Scrapes that a test plants, in Prometheus' answers; a real one is in end_to_end/test_sources.py."""

import json
import math
import time
from itertools import pairwise

import pytest

from capacity.domain.errors import ConfigError, UnreachableError
from capacity.domain.resources import Resource
from capacity.settings.agent import Prometheus
from capacity.sources.metrics import prometheus as module
from capacity.sources.metrics.prometheus import PrometheusReader

GROUP = {"groupname": "a", "instance": "h:9256", "job": "p"}
NOW = 1_000_000.4


def reader(url, **settings):
    return PrometheusReader(Prometheus(url=url, **{"interval_s": 1, **settings}))


class Told:
    """Answers queries as Prometheus does, from scrapes that a test plants: name -> [(at, value)]."""

    def __init__(self, **scrapes):
        self.now = NOW
        self.scrapes = {
            "num_procs": [],
            "oldest_start_time_seconds": [],
            **scrapes,
        }
        self.spans_s = []
        self.more = {}
        """What stands in an answer beside its data."""

    def every_second(self, name, begin, end, value=1.0):
        self.scrapes[name] = [(begin + n + 0.25, value) for n in range(int(end - begin))]
        return self

    def __call__(self, environ, start_response):
        from urllib.parse import parse_qs

        query = parse_qs(environ["QUERY_STRING"])
        start_response("200 OK", [])
        if query["query"] == ["time()"]:
            return [self._success("scalar", [self.now, str(self.now)])]
        [selector], [at] = query["query"], map(float, query["time"])
        span_s = int(selector.rpartition("[")[2].removesuffix("ms]")) / 1000
        self.spans_s.append(span_s)
        if "namedprocess" not in selector:
            return [self._success("matrix", [])]
        return [
            self._success(
                "matrix",
                [
                    {
                        "metric": {"__name__": f"namedprocess_namegroup_{name}", **GROUP},
                        "values": [[t, str(v)] for t, v in scrapes if at - span_s <= t <= at],
                    }
                    for name, scrapes in self.scrapes.items()
                ],
            )
        ]

    def _success(self, kind, result):
        answer = {"status": "success", "data": {"resultType": kind, "result": result}, **self.more}
        return json.dumps(answer).encode()


@pytest.fixture
def told():
    begin = math.floor(NOW) - 1000
    return (
        Told()
        .every_second("num_procs", begin, begin + 1000)
        .every_second("oldest_start_time_seconds", begin, begin + 1000, 5.0)
        .every_second("num_threads", begin, begin + 1000, 3.0)
    )


def test_a_server_that_refuses_a_query_is_quoted(answering):
    refusal = {
        "status": "error",
        "errorType": "execution",
        "error": "query processing would load too many samples into memory in query execution",
    }
    url = answering(json.dumps(refusal).encode(), "422 Unprocessable Entity")
    with pytest.raises(UnreachableError, match=r"refuses a query .*too many samples.* raise its"):
        reader(url).info()


def test_groups_that_nobody_told_apart_are_listed(serve, told, monkeypatch):
    other = {**GROUP, "groupname": "b"}
    answer = told._success
    monkeypatch.setattr(
        told,
        "_success",
        lambda kind, result: answer(
            kind,
            [*result, *({**each, "metric": {**each["metric"], **other}} for each in result)]
            if kind == "matrix"
            else result,
        ),
    )
    with pytest.raises(
        ConfigError, match=r"groupname=a .* \| groupname=b .*agent\.prometheus\.proc"
    ):
        reader(serve(told)).info()


def test_each_scrape_is_one_sample_however_often_it_is_asked_for(serve, told):
    source = reader(serve(told))
    first = source.samples(0)
    told.now += 3

    assert first == source.samples(0)[: len(first)]
    assert [] == source.samples(source.samples(0)[-1].seq)
    assert all(0.25 == sample.at % 1 for sample in first)
    assert {1} == {b.seq - a.seq for a, b in pairwise(first)}


def test_a_scrape_that_failed_is_a_gap_and_no_end_of_the_target(serve, told):
    for scrapes in told.scrapes.values():
        del scrapes[-5:-3]
    samples = reader(serve(told)).samples(0)

    assert [1, 2, 3, 4, 5, 8] == [sample.seq for sample in samples][:6]
    assert {5.0} == {sample.target_started_at for sample in samples}


def test_a_metric_without_a_scrape_is_missing_and_not_repeated(serve, told):
    del told.scrapes["num_threads"][-4:]
    samples = reader(serve(told)).samples(0)

    assert Resource.THREADS in samples[0].used
    assert Resource.THREADS in samples[-1].missing


def test_catching_up_after_a_long_cut_takes_several_answers_and_leaves_no_gap(
    serve, told, monkeypatch
):
    monkeypatch.setattr(module, "_MOST_CELLS", 100)
    source = reader(serve(told))
    seen = source.samples(0)
    begin = math.floor(NOW)
    for name in told.scrapes:
        value = told.scrapes[name][0][1]
        told.scrapes[name] += [(begin + n + 0.25, value) for n in range(1000)]
    told.now += 1000
    while new := source.samples(seen[-1].seq):
        seen += new

    assert list(range(1, len(seen) + 1)) == [sample.seq for sample in seen]
    assert len(seen) > 990
    assert max(told.spans_s) <= 104


def test_a_server_that_scrapes_more_rarely_than_was_said_is_found_out(serve, told):
    told.scrapes = {name: scrapes[-1:] for name, scrapes in told.scrapes.items()}
    with pytest.raises(ConfigError, match=r"1 scrape .* in 3 s; set agent\.prometheus\.interval_s"):
        reader(serve(told)).info()


def test_a_server_without_the_target_is_said(serve, told):
    told.scrapes = {}
    with pytest.raises(UnreachableError, match="publishes no process"):
        reader(serve(told)).info()

    assert [] == reader(serve(told)).samples(0)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"body": b"<html>", "status": "404 Not Found"}, r"answers 404 \(<html>\); correct agent"),
        ({"body": b"<html>"}, r"answers no JSON .*b'<html>'.*correct agent.prometheus.url"),
        ({"body": b'{"status": "fine"}'}, "no JSON of Prometheus'"),
        ({"body": b'{"status": "success", "data": [1]}'}, "no JSON of Prometheus'"),
        ({"body": b'{"status": "success", "data": {"result": [1, "NaN"]}}'}, "no JSON of Prom"),
        ({"body": b'{"status": "success", "data": {"result": [1, "x"]}}'}, "no JSON of Prom"),
        ({"body": b"[" * 100000}, "no JSON of Prometheus'"),
        ({"body": b"no", "status": "401 Unauthorized"}, r"answers 401 \(no\); set .*token_file"),
        (
            {"body": b'{"status": "error", "error": "no store"}', "status": "503 Unavailable"},
            r"answers 503 \(no store\); try again",
        ),
        (
            {"body": b'{"status": "error", "error": "too many"}', "status": "422 No"},
            r"refuses a query \(too many\); ask for fewer series",
        ),
    ],
)
def test_somebody_else_at_the_address_is_told_from_prometheus(answering, answer, said):
    with pytest.raises(UnreachableError, match=said):
        reader(answering(**answer)).info()


def test_nobody_there_is_said_with_what_to_do():
    with pytest.raises(UnreachableError, match=r"does not answer .*correct agent\.prometheus\.url"):
        reader("http://127.0.0.1:1").info()


def test_labels_go_into_the_query_as_they_are():
    assert module._selector(("a", "b"), {"job": "x", "host": "y:1"}) == (
        '{__name__=~"a|b",job="x",host="y:1"}'
    )
    assert r'{__name__=~"a",job="x\"} or \\ é\n"}' == module._selector(
        ["a"], {"job": 'x"} or \\ é\n'}
    )


@pytest.mark.parametrize(
    ("more", "doubts"),
    [
        ({}, []),
        ({"warnings": []}, []),
        ({"warnings": ["a store\nis away"]}, ["a store is away"]),
        ({"isPartial": True}, ["it is partial"]),
        ({"isPartial": False}, []),
    ],
)
def test_what_a_server_says_against_its_own_answer_is_passed_on(serve, told, more, doubts):
    told.more = more
    notes = reader(serve(told)).info().notes

    assert doubts == [note.partition(" says of its own answer: ")[2] for note in notes]


class AnsweringVectors(Told):
    """Answers time() with a vector of one element, as VictoriaMetrics does."""

    def _success(self, kind, result):
        if kind == "scalar":
            kind, result = "vector", [{"metric": {}, "value": [round(self.now), str(self.now)]}]
        return super()._success(kind, result)


def test_a_store_that_answers_time_with_a_vector_is_read_like_any_other(serve):
    told = AnsweringVectors().every_second("num_procs", NOW - 60, NOW)
    source = reader(serve(told))

    before_at = time.time()
    offset_s = source.clock_offset().offset_s
    assert NOW - time.time() <= offset_s <= NOW - before_at
    assert source.samples(0)
