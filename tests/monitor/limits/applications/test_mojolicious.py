"""Mojolicious by its words and its script, and real ones filled until they let clients wait."""

import shutil
import subprocess

import pytest

SCRIPT = """
use Mojolicious::Lite;
websocket '/' => sub { shift->on(message => sub {}) };
app->config(hypnotoad => {listen => ["http://127.0.0.1:%d"], clients => 7, workers => 2});
app->start;
"""
DAEMON = ("/usr/bin/perl", "-w", "/srv/app.pl", "daemon")
PREFORK = ("/usr/bin/perl", "app.pl", "prefork")


@pytest.mark.parametrize(
    ("words", "workers", "cap"),
    [
        (DAEMON, 0, 1000),
        ((*DAEMON, "-c", "400"), 0, 400),
        ((*DAEMON, "--clients=30"), 0, 30),
        ((*DAEMON, "-c", "40", "--clients=30", "-c35"), 0, 35),
        (PREFORK, 0, 4000),
        ((*PREFORK, "-c", "20", "-w", "3"), 0, 60),
        ((*PREFORK, "-c20", "--workers", "3"), 2, 60),
    ],
)
def test_each_worker_takes_its_clients(made, words, workers, cap):
    made.write("/srv/app.pl", SCRIPT % 80)

    assert made.caps(*words, workers=workers) == [(cap, ())]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("print 'no server'", DAEMON),
        (SCRIPT % 80, ("/usr/bin/perl", "app.pl", "get", "/")),
        (SCRIPT % 80, ("/usr/bin/perl", "-e", "1")),
    ],
)
def test_other_programs_in_perl_have_no_cap_that_is_known(made, text, words):
    made.write("/srv/app.pl", text)

    assert made.caps(*words) == []


@pytest.mark.parametrize(
    ("line", "cap"),
    [
        ("{clients => 30, workers => 2}", [(60, ())]),
        ("{clients => 30 # 90", [(120, ())]),
        ("{workers => 3}", [(3000, ())]),
        ("{clients => 30, workers => $most}", [(60, ())]),
        ("", [(4000, ())]),
    ],
)
def test_under_hypnotoad_plain_numbers_of_the_script_are_taken(made, line, cap, monkeypatch):
    made.write("/srv/app.pl", f"use Mojolicious::Lite;\napp->config(hypnotoad => {line});\n")
    monkeypatch.setattr(
        "capacity.monitor.limits.applications.process.os.readlink", lambda _path: "/usr/bin/perl"
    )

    assert made.caps("/srv/app.pl", workers=2) == cap


@pytest.mark.parametrize(
    "line", ["app->config(hypnotoad => {clients => $most});", "plugin 'Config';"]
)
def test_what_stands_elsewhere_is_unknown(made, line, monkeypatch):
    made.write("/srv/app.pl", f"use Mojolicious::Lite;\n{line}\n")
    monkeypatch.setattr(
        "capacity.monitor.limits.applications.process.os.readlink", lambda _path: "/usr/bin/perl"
    )

    assert made.unknown("/srv/app.pl").source
    assert "$most" not in f"{made.unknown('/srv/app.pl')}"


def has_mojolicious():
    perl = shutil.which("perl")
    return (
        bool(perl)
        and not subprocess.run(
            [perl, "-MMojolicious", "-e", "1"], check=False, capture_output=True
        ).returncode
    )


@pytest.mark.skipif(not has_mojolicious(), reason="apt install libmojolicious-perl")
@pytest.mark.parametrize(
    ("options", "cap"), [(("daemon", "-c", "9"), 9), (("prefork", "-c", "6", "-w", "2"), 12)]
)
def test_a_real_one_serves_what_was_read(start_server, free_port, fill, tmp_path, options, cap):
    port = free_port()
    (tmp_path / "app.pl").write_text(SCRIPT % port)
    server = start_server("perl", "app.pl", *options, "-l", f"http://127.0.0.1:{port}", port=port)

    assert server.cap().value == cap
    assert fill(port) == cap
