"""MariaDB by its option files and words, and a real one filled until it refuses."""

import shutil
import subprocess

import pytest

WORDS = ("/usr/sbin/mariadbd", "--user=mysql")


@pytest.mark.parametrize(
    ("text", "cap"),
    [
        ("[mysqld]\nmax_connections = 50", 50),
        ("[mariadb-10.11]\nmax-connections=50", 50),
        ("[client]\nmax_connections = 5", 151),
        ("[server]\n!includedir /etc/mysql/conf.d/\n", 60),
        ("!include /etc/mysql/conf.d/a.cnf\n", 60),
        ("!include /etc/mysql/conf.d/a.cnf more\n!includedir /etc/mysql conf.d\n!include", 151),
        ("[mysqld]\nmax_connections = 50 ; few\nmax-connections = 51", 51),
        ("max_connections = 50", 151),
    ],
)
def test_only_the_groups_of_the_server_count(made, text, cap):
    made.write("/etc/mysql/my.cnf", text)
    made.write("/etc/mysql/conf.d/a.cnf", "[mysqld]\nmax_connections = 60\n")

    assert made.caps(*WORDS) == [(cap, ())]


def test_words_beat_files_and_say_which_files(made):
    made.write("/etc/my.cnf", "[mysqld]\nmax_connections = 50\n")
    made.write("/mine.cnf", "[mysqld]\nmax_connections = 40\n")

    assert made.caps(*WORDS, "--defaults-file=/mine.cnf") == [(40, ())]
    assert made.caps(*WORDS, "--no-defaults") == [(151, ())]
    assert made.caps(*WORDS, "--max-connections=30") == [(30, ())]


def test_a_file_that_includes_itself_is_unknown(made):
    made.write("/etc/my.cnf", "!include /etc/my.cnf\n")

    assert "more than 8 deep" in made.unknown(*WORDS).reason


def test_a_real_one_admits_what_was_read(start_server, free_port, fill, open_folder):
    install = shutil.which("mariadb-install-db")
    if install is None:
        pytest.skip("mariadb-install-db is not installed")
    data, port = open_folder / "data", free_port()
    subprocess.run(
        [install, "--no-defaults", f"--datadir={data}", "--user=mysql", "--skip-test-db"],
        check=True,
        capture_output=True,
    )
    first = open_folder / "first.sql"
    first.write_text("CREATE USER plain@'%';\n")
    mariadb = start_server(
        "mariadbd",
        *("--no-defaults", "--user=mysql", f"--datadir={data}", f"--init-file={first}"),
        *("--bind-address=127.0.0.1", f"--port={port}", f"--socket={open_folder}/socket"),
        *("--max-connections=14", "--innodb-buffer-pool-size=8M", "--skip-name-resolve"),
        port=port,
    )
    flags = (0x200 | 0x8000).to_bytes(4, "little")  # CLIENT_PROTOCOL_41, CLIENT_SECURE_CONNECTION
    body = flags + (1 << 24).to_bytes(4, "little") + b"\x21" + bytes(23) + b"plain\0\0"
    ask = len(body).to_bytes(3, "little") + b"\1" + body

    assert fill(port, ask=ask, answer=b"\7\0\0\2\0\0\0") == mariadb.cap().value == 14


def test_eight_files_may_include_one_another(made):
    for number in range(8):
        made.write(f"/{number}.cnf", f"!include /{number + 1}.cnf\n")
    made.write("/8.cnf", "[mysqld]\nmax_connections = 3\n")

    assert made.caps(*WORDS, "--defaults-file=/0.cnf") == [(3, ())]

    for text in ("!include /0.cnf\n", "!includedir /d\n"):
        made.write("/d/a.cnf", "!include /1.cnf\n!include /0.cnf\n")
        made.write("/etc/my.cnf", text)

        assert "more than 8 deep" in made.unknown(*WORDS).reason


def test_eight_folders_may_include_one_another(made):
    for number in range(8):
        made.write(f"/d{number}/a.cnf", f"!includedir /d{number + 1}\n")
    made.write("/d8/a.cnf", "[mysqld]\nmax_connections = 3\n")
    made.write("/d/a.cnf", "!includedir /d0\n")

    assert made.caps(*WORDS, "--defaults-file=/d0/a.cnf") == [(3, ())]
    assert "more than 8 deep" in made.unknown(*WORDS, "--defaults-file=/d/a.cnf").reason


def test_later_files_and_options_beat_earlier_ones(made):
    made.write("/etc/my.cnf", "[mysqld]\nmax_connections = 50\n")
    made.write("/etc/mysql/my.cnf", "[mysqld]\nmax_connections = 51\n")
    made.write("/extra.cnf", "[mysqld]\nmax_connections = 52\n")
    extra = "--defaults-extra-file=/extra.cnf"

    assert made.caps(*WORDS) == [(51, ())]
    assert made.caps(*WORDS, extra) == [(52, ())]
    assert made.caps(*WORDS, extra, "--max_connections=53") == [(53, ())]
