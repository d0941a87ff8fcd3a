"""NATS by its file, and a real server filled until it refuses."""

import pytest

WORDS = ("/usr/sbin/nats-server", "-c", "/etc/nats.conf")


@pytest.mark.parametrize(
    ("text", "cap"),
    [
        ("max_connections: 50", 50),
        ("max_connections = 2K # two thousand", 2000),
        ("max_conn 7", 7),
        ('{\n "port": 1,\n "max_connections": 9,\n}', 9),
        ("cluster {\n max_connections: 5\n}\n", 65_536),
        ("cluster { max_connections: 5 }\nmax_connections: 6", 6),
        ("include ./more.conf", 8),
        ("include 'more.conf'", 8),
        ("max_connections: 3kb", 3072),
        ("max_connections: 3m", 3_000_000),
        ("max_connections: 3mb", 3 << 20),
        ("port: 4222\nmax_connections: 3", 3),
        ("max_connections: 3 // few\nmax_connections: 4", 4),
        ("a { b {\n max_connections: 5\n}\n max_connections: 5\n}\nmax_connections: 6", 6),
        ("{\n max_connections: 9\n cluster {\n max_connections: 5\n }\n}", 9),
        ("}\nmax_connections: 6", 6),
    ],
)
def test_what_stands_outside_of_blocks_counts(made, text, cap):
    made.write(WORDS[2], text)
    made.write("/etc/more.conf", "max_connections: 8\n")

    assert made.caps(*WORDS) == [(cap, ())]


def test_without_a_file_the_default_counts(made):
    assert made.caps("nats-server", "-p", "4222") == [(65_536, ())]


def test_a_variable_is_unknown(made):
    made.write(WORDS[2], "MOST = 5\nmax_connections: $MOST\n")

    assert made.unknown(*WORDS).source == f"{WORDS[2]}:2"


def test_a_file_that_includes_itself_is_unknown(made):
    made.write(WORDS[2], "include nats.conf\n")

    assert "more than 8 deep" in made.unknown(*WORDS).reason


def test_a_real_one_admits_what_was_read(start_server, free_port, fill, tmp_path):
    port = free_port()
    path = tmp_path / "nats.conf"
    path.write_text(f"listen: 127.0.0.1:{port}\nmax_connections: 21\n")
    nats = start_server("nats-server", "-c", path, port=port)
    ask = b'CONNECT {"verbose":false}\r\nPING\r\n'

    assert fill(port, ask=ask, answer=b"PONG") == nats.cap().value == 21


def test_eight_files_may_include_one_another(made):
    for number in range(8):
        made.write(f"/etc/{number}.conf", f"include {number + 1}.conf\n")
    made.write("/etc/8.conf", "max_connections: 3\n")

    assert made.caps("nats-server", "-c", "/etc/0.conf") == [(3, ())]

    made.write(WORDS[2], "include 0.conf\n")

    assert "more than 8 deep" in made.unknown(*WORDS).reason
