"""uWSGI by its words, variables and file, and real ones filled until they let clients wait."""

import shutil

import pytest

ASK = b"GET / HTTP/1.1\r\nHost: target\r\n\r\n"
APPLICATION = """
import time

def application(environ, start_response):
    start_response("200 OK", [])
    yield b"held"
    time.sleep(20)
"""


@pytest.mark.parametrize(
    ("words", "cap"),
    [
        ((), 1),
        (("-p", "3"), 3),
        (("--workers=3", "--threads", "4"), 12),
        (("--master", "--gevent", "100", "--processes", "2"), 200),
        (("--async", "50", "--ugreen", "--threads", "2"), 50),
        (("--asyncio", "20"), 20),
        (("--processes", "0"), 1),
    ],
)
def test_what_a_worker_takes_is_told_by_its_options(made, words, cap):
    assert made.caps("uwsgi", "--http", ":8080", *words) == [(cap, ())]


@pytest.mark.parametrize(
    "words", [("/srv/app.ini",), ("--ini", "/srv/app.ini"), ("--ini=app.ini",), ("-i", "app.ini")]
)
def test_the_section_of_its_ini_file_is_read_with_its_lines(made, words):
    made.write(
        "/srv/app.ini", "[other]\ngevent = 9\n[uwsgi]\n;gevent = 8\ngevent = 40\nprocesses=2\n"
    )
    (entry,) = made.entries("uwsgi", *words)

    assert entry.value == 80
    assert entry.source.startswith("/srv/app.ini:5: gevent 40; /srv/app.ini:6: processes 2;")


def test_the_command_line_beats_the_file_and_that_the_environment(made):
    made.environ["UWSGI_GEVENT"] = "30"
    made.environ["UWSGI_SECRET"] = "7"

    assert made.caps("uwsgi", "app.py") == [(30, ())]

    made.write("/srv/app.ini", "[uwsgi]\ngevent = 40\n")

    assert made.caps("uwsgi", "app.ini") == [(40, ())]
    assert made.caps("uwsgi", "app.ini", "--gevent", "50") == [(50, ())]


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("app.ini",), "[uwsgi]\nprocesses = %(cores)\n"),
        (("app.yaml",), "uwsgi:\n  gevent: 9\n"),
        (("--json", "app.json"), "{}"),
    ],
)
def test_what_is_no_plain_number_or_no_ini_file_is_unknown(made, words, text):
    made.write("/srv/app.ini", text)

    assert made.unknown("uwsgi", *words).reason


def test_a_file_that_is_the_value_of_another_option_is_none_of_its_settings(made):
    assert made.caps("uwsgi", "--logger=settings.ini", "-p", "2") == [(2, ())]


@pytest.mark.skipif(shutil.which("uwsgi") is None, reason="uwsgi is not installed")
@pytest.mark.parametrize(
    ("words", "cap"),
    [
        (("-p", "2", "--threads", "3", "--master"), 6),
        (("--gevent", "9", "--gevent-monkey-patch"), 9),
        (("app.ini",), 8),
    ],
)
def test_a_real_one_serves_what_was_read(start_server, free_port, fill, tmp_path, words, cap):
    (tmp_path / "app.py").write_text(APPLICATION)
    (tmp_path / "app.ini").write_text(
        "[uwsgi]\nmaster = true\nprocesses = 2\ngevent = 4\ngevent-monkey-patch = true\n"
    )
    port = free_port()
    uwsgi = start_server(
        "uwsgi",
        *("--http-socket", f"127.0.0.1:{port}", "--wsgi-file", "app.py", "--die-on-term"),
        *("--disable-logging", *words),
        port=port,
    )

    assert uwsgi.cap().value == cap
    assert fill(port, ask=ASK, answer=b"held", patience_s=1.5) == cap
