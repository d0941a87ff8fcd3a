"""Real exporters scraped; what no real exporter answers is served by a small server."""

import runpy
import time
from pathlib import Path

import pytest

from capacity.domain.errors import ConfigError, UnreachableError
from capacity.domain.resources import Resource
from capacity.settings.agent import Exporters
from capacity.sources.metrics.exporters import ExporterScraper

HERE = runpy.run_path(str(Path(__file__).with_name("exporters_here.py")))
GROUP = b"""\
namedprocess_namegroup_num_procs{groupname="a"} 1
namedprocess_namegroup_oldest_start_time_seconds{groupname="a"} 1.7e+09
namedprocess_namegroup_open_filedesc{groupname="a"} 9
namedprocess_namegroup_worst_fd_ratio{groupname="a"} 0.00045
"""
OWN = b"""\
process_open_fds 12
process_max_fds 20000
process_start_time_seconds 1.7e9
"""


def scraper(*urls, **settings):
    return ExporterScraper(Exporters(urls=urls, **settings))


@pytest.fixture
def pages(tmp_path):
    HERE["skip_unless_installed"]("prometheus-node-exporter", "prometheus-process-exporter")
    with HERE["node_exporter"]() as node, HERE["process_exporter"](tmp_path) as process:
        yield node, process


def test_real_exporters_tell_who_the_target_is_and_what_it_uses(pages, exchange):
    source = scraper(*pages, process={"groupname": str(exchange.pid)}, interval_s=0.1)
    began_s = time.monotonic()
    info = source.info()
    first = source.samples(0)
    time.sleep(0.3)
    later = source.samples(first[-1].seq)
    read_s, read_at = time.monotonic(), time.time()
    opened = len(list(Path(f"/proc/{exchange.pid}/fd").iterdir()))
    source.close()

    assert info.boot_id == Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    assert ([1], [2]) == ([sample.seq for sample in first], [sample.seq for sample in later])
    assert opened == later[0].used[Resource.DESCRIPTORS]
    assert 0 <= later[0].used[Resource.CPU] < 1
    assert 0 < later[0].interval_s <= read_s - began_s
    assert first[0].at < later[0].at <= read_at
    assert 0 <= source.clock_offset().error_s < 1


def test_no_sample_is_taken_before_the_next_is_due(answering):
    source = scraper(answering(GROUP), interval_s=60)

    assert [1] == [sample.seq for sample in source.samples(0)]
    assert [] == source.samples(1)
    assert [1] == [sample.seq for sample in source.samples(0)]


def test_what_an_exporter_publishes_of_itself_is_not_the_target(answering):
    with pytest.raises(UnreachableError, match="publishes no process"):
        scraper(answering(OWN + b"node_exporter_build_info 1\n")).info()

    assert 1.7e9 == scraper(answering(OWN)).info().target_started_at


def test_a_metric_that_is_missing_has_its_reason(answering):
    [sample] = scraper(answering(GROUP)).samples(0)

    assert 9 == sample.used[Resource.DESCRIPTORS]
    assert "num_threads is not among the metrics" in sample.missing[Resource.THREADS]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"body": b"<html>Node Exporter</html>"}, r"no page of metrics \(line 1: '<html>"),
        ({"body": b"\xff\xfe"}, r"no page of metrics \(line 1: "),
        (
            {"body": b"process_open_fds 1\nprocess_max_fds 0x9"},
            r"publishes what cannot be read \(line 2",
        ),
        ({"status": "404 Not Found"}, "answers 404; agent.exporters.urls are whole"),
        ({"body": GROUP * 2}, "is there twice"),
    ],
)
def test_another_page_than_metrics_is_named(answering, answer, said):
    url = answering(**answer)
    with pytest.raises(UnreachableError, match=f"the exporter at {url} .*{said}"):
        scraper(url).info()


def test_an_exporter_that_is_down_is_named():
    with pytest.raises(
        UnreachableError,
        match=r"the exporter at http://127.0.0.1:1/metrics does not answer \(ConnectionRefusedError\)",
    ):
        scraper("http://127.0.0.1:1/metrics").info()


def test_an_exporter_that_goes_down_during_the_run_is_unreachable_and_comes_back(serve):
    is_down = []

    def answer(_environ, start_response):
        start_response("503 Busy" if is_down else "200 OK", [])
        return [GROUP]

    source = scraper(serve(answer), interval_s=0.1)
    source.samples(0)
    is_down.append(True)
    time.sleep(0.15)
    with pytest.raises(UnreachableError):
        source.samples(1)
    is_down.clear()

    assert [2] == [sample.seq for sample in source.samples(1)]


def test_two_groups_without_a_label_are_a_fault_of_the_file(answering):
    page = GROUP + GROUP.replace(b'"a"', b'"b"')
    with pytest.raises(
        ConfigError, match=r"groupname=a \| groupname=b\); .*agent\.exporters\.process"
    ):
        scraper(answering(page)).samples(0)


@pytest.mark.parametrize(
    "line",
    [
        '{"http.server.duration","service.name"="feed"} 12',
        'rpc_bucket{le="1.0"} 5 # {trace_id="abc"} 0.5 1700000000.123',
        'jobs{name="a\u2028b\x85c"} 1',
        "\ufeff# HELP jobs A byte order mark",
    ],
)
def test_what_is_new_about_other_metrics_costs_no_page_and_no_word(answering, line):
    info = scraper(answering(line.encode() + b"\n" + OWN + b"# EOF\n")).info()

    assert [20000] == [limit.value for limit in info.limits if limit.value is not None]
    assert () == info.notes


def test_a_line_about_another_metric_that_cannot_be_read_is_told(answering):
    source = scraper(answering(b"jobs many\n" + OWN))
    (note,) = source.info().notes

    assert note.startswith("1 line of the exporter at http://127.0.0.1:")
    assert note.endswith("the first is line 1: 'jobs many'")


@pytest.mark.parametrize(
    ("line", "is_lost"),
    [(b'jobs{name="caf\xe9"} 1', False), (b'process_open_fds{a="\xe9"} 1', True)],
)
def test_bytes_that_are_no_text_spoil_their_own_line_alone(answering, line, is_lost):
    source = scraper(answering(line + b"\n" + OWN))
    if is_lost:
        with pytest.raises(UnreachableError, match=r"publishes what cannot be read \(line 1"):
            source.info()
    else:
        [note] = source.info().notes
        assert "1 line of the exporter" in note


@pytest.mark.parametrize(("age_s", "is_old"), [(4, False), (60, True)])
def test_a_page_with_times_that_are_long_past_is_refused_before_the_run(answering, age_s, is_old):
    told = f" {round((time.time() - age_s) * 1000)}\n".encode()
    source = scraper(answering(OWN.replace(b"\n", told)), interval_s=10)
    if is_old:
        with pytest.raises(UnreachableError, match=r"too old to use; mend what is published there"):
            source.info()
    else:
        assert () == source.info().notes


def test_what_lacks_the_start_of_the_process_is_told_with_a_remedy(answering):
    with pytest.raises(
        UnreachableError,
        match=r"process_start_time_seconds is not among the metrics; .* use `capacity agent`",
    ):
        scraper(answering(b"process_open_fds 12\n")).info()


def test_credentials_go_to_the_pages(serve, tmp_path):
    seen = []

    def answer(environ, start_response):
        seen.append(environ.get("HTTP_AUTHORIZATION"))
        start_response("200 OK", [])
        return [OWN]

    file = tmp_path / "secret"
    file.write_text("word")
    file.chmod(0o600)
    scraper(serve(answer), token_file=str(file)).info()
    file.write_text("a:b")
    scraper(serve(answer), basic_auth_file=str(file)).info()

    assert ["Bearer word", "Basic YTpi"] == seen
