"""lighttpd's configuration as texts, and a real one filled until it lets clients wait."""

import pytest

WORDS = ("/usr/sbin/lighttpd", "-D", "-f", "/etc/lighttpd/lighttpd.conf")
PATH = WORDS[3]
ASK = b"GET / HTTP/1.1\r\nHost: target\r\n\r\n"


def test_max_connections_is_the_cap(made):
    made.write(PATH, 'include "conf.d/*.conf"\nserver.max-connections = 5 # now\n')
    made.write("/etc/lighttpd/conf.d/a.conf", "server.max-connections = 100\n")
    (entry,) = made.entries(*WORDS)

    assert (entry.value, entry.source) == (5, f"{PATH}:2: server.max-connections 5")


def test_it_is_half_of_the_descriptors_at_most(made):
    made.open_files = 300
    made.write(PATH, "server.max-connections = 200\n")

    assert made.caps(*WORDS) == [(150, ())]


def test_it_is_a_third_of_the_descriptors_by_default(made):
    made.open_files = 300
    made.write(PATH, "server.port = 80\n")

    assert made.caps(*WORDS) == [(100, ())]


def test_each_worker_has_as_many(made):
    made.write(PATH, "server.max-worker = 3\nserver.max-connections = 10\n")

    assert made.caps(*WORDS) == [(30, ())]


def test_what_a_command_prints_is_not_looked_for(made):
    made.write(PATH, 'include_shell "touch /tmp/ran"\n')

    assert made.unknown(*WORDS).source == f"{PATH}:1"


def test_a_variable_is_unknown(made):
    made.write(PATH, "var.most = 5\nserver.max-connections = var.most\n")

    assert made.unknown(*WORDS).source == f"{PATH}:2"


@pytest.mark.parametrize(
    ("settings", "cap"),
    [
        ("server.max-connections = 17", 17),
        ("server.max-fds = 90", 30),
        ("server.max-fds = 64\nserver.max-connections = 60", 32),
    ],
)
def test_a_real_one_serves_what_was_read(start_server, free_port, fill, tmp_path, settings, cap):
    port = free_port()
    path = tmp_path / "lighttpd.conf"
    path.write_text(
        f'server.document-root = "{tmp_path}"\nserver.bind = "127.0.0.1"\nserver.port = {port}\n'
        f"server.max-keep-alive-idle = 60\n{settings}\n"
    )
    lighttpd = start_server("lighttpd", "-D", "-f", path, port=port)

    assert lighttpd.cap().value == cap
    assert fill(port, ask=ASK, answer=b"HTTP/1.1") == cap
