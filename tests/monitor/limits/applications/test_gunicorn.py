"""Gunicorn by its words, variables and file, and real ones filled until they let clients wait."""

import importlib.util
import sys

import pytest

WORDS = ("/usr/bin/python3", "/usr/bin/gunicorn", "app:app")
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
        (("-w", "0"), 1),
        (("-w", "3"), 3),
        (("-w3", "--threads", "4"), 12),
        (("-k", "gthread", "--threads=5"), 5),
        (("-k", "gevent", "-w", "2", "--worker-connections", "50"), 100),
        (("--worker-class=gevent",), 1000),
    ],
)
def test_the_kind_of_the_workers_says_what_counts(made, words, cap):
    assert made.caps(*WORDS, *words) == [(cap, ())]


def test_a_kind_that_is_not_known_of_has_no_cap_and_is_not_shown(made):
    (entry,) = made.entries(*WORDS, "-k", "secret.Worker")

    assert (entry.value, entry.resource) == (None, None)
    assert "secret" not in f"{entry}"


def test_the_file_is_parsed_and_overridden_in_the_documented_order(made):
    made.write(
        "/srv/gunicorn.conf.py", "import os\nos.abort()\nworkers = 2\nthreads = 3\nkey = 'secret'\n"
    )
    made.environ["WEB_CONCURRENCY"] = "9"
    entries = made.entries(*WORDS)

    assert [entry.value for entry in entries] == [6]
    assert entries[0].source.startswith("/srv/gunicorn.conf.py:4: threads 3")

    made.environ["GUNICORN_CMD_ARGS"] = "--threads 4 --bind x"

    assert made.caps(*WORDS) == [(8, ())]
    assert made.caps(*WORDS, "--threads", "5") == [(10, ())]


def test_an_expression_is_unknown_where_it_stands_unless_workers_are_seen(made):
    made.write("/srv/settings.py", "import multiprocessing as m\nworkers = m.cpu_count() * 2\n")

    assert made.unknown(*WORDS, "-c", "settings.py").source == "/srv/settings.py:2"
    assert made.caps(*WORDS, "-c", "settings.py", workers=4) == [(4, ())]


@pytest.mark.parametrize("text", ["workers = (", "(" * 5000, "\0"])
def test_a_file_that_cannot_be_parsed_is_unknown(made, text):
    made.write("/srv/gunicorn.conf.py", text)

    assert made.unknown(*WORDS).source == "/srv/gunicorn.conf.py"


@pytest.mark.skipif(
    importlib.util.find_spec("gunicorn") is None, reason="gunicorn is not installed"
)
@pytest.mark.parametrize(
    ("options", "cap"),
    [
        (("-w", "3"), 3),
        (("--threads", "6"), 6),
        (("-k", "gevent", "--worker-connections", "15"), 15),
    ],
)
def test_a_real_one_serves_what_was_read(start_server, free_port, fill, tmp_path, options, cap):
    (tmp_path / "app.py").write_text(APPLICATION)
    port = free_port()
    gunicorn = start_server(
        sys.executable,
        *("-m", "gunicorn", "-b", f"127.0.0.1:{port}", "--graceful-timeout", "1", *options),
        "app:application",
        port=port,
    )

    assert gunicorn.cap().value == cap
    assert fill(port, ask=ASK, answer=b"held", patience_s=1.5) == cap


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (("-k", "sync", "--threads", "4", "--worker-connections", "9"), "gthread"),
        (("-k", "gevent", "--threads", "4", "--worker-connections", "9"), "gevent"),
    ],
)
def test_threads_make_another_class_of_a_sync_worker_alone(made, words, name):
    entries = made.entries("gunicorn", *words, "app", workers=1)

    assert any(entry.resource and entry.value for entry in entries)
    assert (4 if name == "gthread" else 9) in {entry.value for entry in entries if entry.resource}


def test_what_is_assigned_to_anything_but_a_plain_name_is_no_setting(made):
    made.write("/srv/gunicorn.conf.py", "a.workers = 7\nb['workers'] = 8\nother = 9\nworkers = 3\n")

    assert made.caps(*WORDS, "-c", "/srv/gunicorn.conf.py") == [(3, ())]
