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


@pytest.mark.parametrize(("workers", "cap"), [(3, 30), (1, 10), (0, 10)])
def test_each_worker_has_as_many_and_without_workers_there_is_one_process(made, workers, cap):
    made.write(PATH, f"server.max-worker = {workers}\nserver.max-connections = 10\n")

    assert made.caps(*WORDS) == [(cap, ())]


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


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("server.max-connections = 150", "server.max-connections 150"),
        ("server.max-connections = 151", "151, but half of 301 descriptors"),
        ("", "so a third of 301 descriptors"),
        ("server.max-worker = 0\nserver.max-connections = 9", "server.max-connections 9"),
        ("server.max-worker = 1\nserver.max-connections = 9", "server.max-connections 9"),
        ("server.max-worker = 2", "descriptors, in each of 2 workers"),
        ("server.max-worker = 2\nserver.max-connections = 9", "9, in each of 2 workers"),
    ],
)
def test_a_cap_says_what_it_comes_of(made, settings, said):
    made.open_files = 301
    made.write(PATH, settings + "\n")

    assert made.entries(*WORDS)[-1].source.endswith(said)


def test_descriptors_that_are_unlimited_bound_nothing(made):
    made.open_files = "unlimited"
    made.write(PATH, "server.max-connections = 100000\n")

    assert made.caps(*WORDS) == [(100_000, ())]

    made.write(PATH, "server.port = 80\n")

    assert "descriptors, which are unlimited" in made.unknown(*WORDS).reason


def test_descriptors_that_are_asked_for_are_told(made):
    made.write(PATH, "server.max-fds = 90\n")
    told = made.entries(*WORDS)[0]

    assert (told.name, told.value, told.unit, told.resource) == (
        "server.max-fds",
        90.0,
        "descriptors",
        None,
    )


def test_a_command_hides_nothing_that_is_set(made):
    made.write(PATH, 'include_shell "x"\nserver.max-connections = 5\n')

    assert made.caps(*WORDS) == [(5, ())]


def test_sixteen_files_may_include_one_another(made):
    for number in range(16):
        made.write(f"/etc/lighttpd/{number}.conf", f'include "{number + 1}.conf"\n')
    made.write("/etc/lighttpd/16.conf", "server.max-connections = 3\n")

    assert made.caps("lighttpd", "-f", "/etc/lighttpd/0.conf") == [(3, ())]

    made.write(PATH, 'include "0.conf"\n')

    assert "more than 16 deep" in made.unknown(*WORDS).reason


def test_without_an_option_the_usual_file_is_read(made):
    made.write(PATH, "server.max-connections := 4\nserver.max-connections-x = 9\n")

    assert made.caps("lighttpd") == [(4, ())]
