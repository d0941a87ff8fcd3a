"""HAProxy's configuration as texts, and a real one filled until it lets clients wait."""

import pytest

WORDS = ("/usr/sbin/haproxy", "-f", "/etc/haproxy/haproxy.cfg")
PATH = WORDS[2]
CONFIGURATION = """
global
    {own}
defaults
    mode http
    timeout connect 2s
    timeout client 60s
    timeout server 60s
    timeout tunnel 60s
    timeout queue 100ms
frontend in
    bind 127.0.0.1:{port} {bind}
    {frontend}
    default_backend out
backend out
    server one 127.0.0.1:{upstream} {server}
"""


def test_process_frontend_and_bind_line_have_a_cap_each(made):
    made.write(
        PATH,
        """global
  maxconn 2000
defaults
  maxconn 300 # of each frontend
frontend a
  bind :8080,[::1]:8081 maxconn 50
frontend "b c"
  maxconn 100
  bind 127.0.0.1:9090-9091
""",
    )

    assert made.caps(*WORDS) == [
        (2000, ()),
        (300, (8080, 8081)),
        (50, (8080, 8081)),
        (100, (9090, 9091)),
    ]


def test_a_cap_says_where_it_stands(made):
    made.write(PATH, "frontend a\n  bind :80\n  maxconn 7\n")
    entry = made.entries(*WORDS)[-1]

    assert entry.source == f"{PATH}:3: maxconn 7"


def test_without_a_cap_of_the_process_its_descriptors_decide(made):
    made.write(PATH, "frontend a\n  bind :80\n")
    (entry,) = made.entries(*WORDS)

    assert entry.value is None
    assert "descriptors" in entry.source


def test_the_command_line_beats_the_file(made):
    made.write(PATH, "global\n maxconn 5\n")

    assert made.caps(*WORDS, "-n", "9") == [(9, ())]


def test_servers_that_all_have_a_cap_are_one(made):
    made.write(
        PATH,
        """defaults
  default-server maxconn 4
listen a
  bind :80
  server one 10.0.0.1:80
  server two 10.0.0.2:80 maxconn 6
  server spare 10.0.0.3:80 maxconn 6 backup
frontend b
  bind :81
  default_backend c
backend c
  default-server inter 1s
  server one 10.0.0.1:80 maxconn 6
  server two 10.0.0.2:80 maxconn 0
""",
    )

    assert made.caps(*WORDS) == [(10, (80,))]


def test_a_backend_that_an_expression_chooses_has_no_cap_that_is_known(made):
    made.write(
        PATH,
        "frontend a\n bind :80\n use_backend %[hdr(host)]\nbackend b\n server s 10.0.0.1:1 maxconn 1\n",
    )

    assert made.caps(*WORDS) == []


@pytest.mark.parametrize("value", ['"${MAXCONN}"', "$MAXCONN", "many"])
def test_a_variable_is_unknown(made, value):
    made.environ["MAXCONN"] = "5"
    made.write(PATH, f"frontend a\n  bind :80\n  maxconn {value}\n")
    unknown = made.unknown(*WORDS)

    assert unknown.source == f"{PATH}:3"


def test_what_stands_under_a_condition_is_unknown(made):
    made.write(PATH, "global\n.if defined(BIG)\nmaxconn 5\n.endif\n")

    assert made.unknown(*WORDS).source == f"{PATH}:3"


def test_named_defaults_are_inherited_where_they_are_asked_for(made):
    made.write(
        PATH,
        """defaults base
  maxconn 3
defaults more from base
  timeout client 1s
defaults other
  maxconn 9
frontend a from more
  bind :80
frontend b
  bind :81
""",
    )

    assert made.caps(*WORDS) == [(3, (80,)), (9, (81,))]


def test_all_files_of_a_folder_are_read(made):
    made.write("/etc/haproxy/conf.d/1.cfg", "global\n maxconn 5\n")
    made.write("/etc/haproxy/conf.d/2.cfg", "frontend a\n bind :80\n maxconn 4\n")

    assert made.caps("haproxy", "-W", "-f", "/etc/haproxy/conf.d") == [(5, ()), (4, (80,))]


@pytest.mark.parametrize(
    ("part", "text"),
    [
        ("own", "maxconn 11"),
        ("frontend", "maxconn 12"),
        ("bind", "maxconn 13"),
        ("server", "maxconn 14"),
    ],
)
def test_a_real_one_serves_what_was_read(
    start_server, free_port, backend, fill, tmp_path, part, text
):
    port = free_port()
    parts = {"own": "", "frontend": "", "bind": "", "server": "", part: text}
    path = tmp_path / "haproxy.cfg"
    path.write_text(CONFIGURATION.format(port=port, upstream=backend, **parts))
    haproxy = start_server("haproxy", "-db", "-f", path, port=port)

    assert fill(port) == haproxy.cap().value == int(text.split()[-1])
    assert f"{path}:" in haproxy.cap().source


def test_descriptors_that_are_asked_for_are_told(made):
    made.write(PATH, "global\n ulimit-n 90\n fd-hard-limit 80\n")
    told = [(entry.name, entry.value, entry.unit) for entry in made.entries(*WORDS)]

    assert told[:2] == [("ulimit-n", 90.0, "descriptors"), ("fd-hard-limit", 80.0, "descriptors")]


@pytest.mark.parametrize(
    ("text", "caps"),
    [
        ("global\n maxconn 0\nfrontend a\n bind :80 maxconn 0\n maxconn 0", []),
        ("defaults\n maxconn 9\nbackend a\n bind :80 maxconn 3", []),
        ("frontend a\n bind /run/x maxconn 3\n maxconn 4", [(4, ())]),
        (
            (
                "frontend a\n bind :80\n default_backend b\nbackend b\n server s x maxconn 1\n"
                " server t x maxconn 2 disabled"
            ),
            [(1, (80,))],
        ),
        (
            (
                "frontend a\n bind :80\n default_backend b\n use_backend c if x\nbackend b\n"
                " server s x maxconn 1\nbackend c\n server t x maxconn 2"
            ),
            [(3, (80,))],
        ),
        (
            "frontend a\n bind :80\n default_backend b\nbackend b\n server s x maxconn 1\n server t x",
            [],
        ),
        (
            (
                "frontend a\n bind :80\n default_backend b\nbackend b\n server s x maxconn 1\n"
                " server-template t 3 x maxconn 2"
            ),
            [],
        ),
        ("frontend a\n bind :80\n default_backend b\nbackend b\n server s x maxconn 0", []),
        ("listen a\n bind :80\n default_backend b\nbackend b\n server s x maxconn 2", [(2, (80,))]),
        (
            (
                "listen a\n bind :80\n server t x maxconn 5\n default_backend b\nbackend b\n"
                " server s x maxconn 2"
            ),
            [(5, (80,))],
        ),
        (
            (
                "frontend a\n bind :80\n default_backend b\nbackend b\n default-server maxconn 4\n"
                " default-server maxconn 6\n server s x\n server t x"
            ),
            [(12, (80,))],
        ),
    ],
    ids=[
        "none where it is 0",
        "a backend binds nothing",
        "a socket",
        "disabled",
        "two backends",
        "one without",
        "a template",
        "of a server 0 is none",
        "behind a listen",
        "its own before its default",
        "the last default",
    ],
)
def test_what_counts_as_a_cap(made, text, caps):
    made.write(PATH, text)

    assert made.caps(*WORDS) == caps


def test_a_server_under_a_condition_is_unknown(made):
    made.write(
        PATH,
        "frontend a\n bind :80\n default_backend b\nbackend b\n.if x\n server s y\n.endif\n",
    )

    assert made.unknown(*WORDS).source == f"{PATH}:6"


@pytest.mark.parametrize(
    ("options", "caps"),
    [
        (("-f", "/a.cfg", "--", "/b.cfg"), [(5, ()), (4, (80,))]),
        (("-C", "/", "-f", "a.cfg", "-f", "b.cfg"), [(5, ()), (4, (80,))]),
        (("-f", "/a.cfg"), [(5, ())]),
        (("-f", "/b.cfg", "-n", "7"), [(7, ()), (4, (80,))]),
        (("-f", "/c.cfg", "-N", "6"), [(6, (81,))]),
        ((), [(3, ())]),
    ],
)
def test_files_and_numbers_of_the_command_line(made, options, caps):
    made.write("/a.cfg", "global\n maxconn 5\n")
    made.write("/b.cfg", "frontend a\n bind :80\n maxconn 4\n")
    made.write("/c.cfg", "frontend a\n bind :81\n")
    made.write("/etc/haproxy/haproxy.cfg", "global\n maxconn 3\n")

    assert made.caps("haproxy", *options) == caps
