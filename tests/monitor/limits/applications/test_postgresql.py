"""PostgreSQL by its files and words, and a real one filled until it refuses."""

import pytest

WORDS = ("/usr/lib/postgresql/15/bin/postgres", "-D", "/data")


@pytest.mark.parametrize(
    ("text", "cap"),
    [
        ("", 97),
        ("max_connections = 50\t# change requires restart", 47),
        ("max_connections 50\nsuperuser_reserved_connections = 0", 50),
        ("max_connections = '50'\nreserved_connections = 10", 37),
        ("#max_connections = 50", 97),
        ("max_connections = 2", 0),
        ("max_connections = 3\nmax_connections = 5", 2),
        ("include_if_exists 'more.conf'", 7),
        ("include 'more.conf'\nmax_connections = 9", 6),
        ("include_dir 'conf.d'", 17),
        ("include_if_exists 'missing.conf'\ninclude = 'more.conf'", 7),
    ],
)
def test_what_is_kept_for_superusers_is_no_clients(made, text, cap):
    made.write("/data/postgresql.conf", f"{text}\n")
    made.write("/data/conf.d/a.conf", "max_connections = 20\n")
    made.write("/data/more.conf", "max_connections = 10\n")

    assert made.caps(*WORDS) == [(cap, ())]


def test_words_beat_what_was_altered_which_beats_the_file(made):
    made.write("/etc/pg.conf", "max_connections = 50\n")
    made.write("/data/postgresql.auto.conf", "max_connections = 60\n")
    words = (*WORDS, "-c", "config_file=/etc/pg.conf")

    assert made.caps(*words) == [(57, ())]
    assert made.caps(*words, "-N", "70") == [(67, ())]
    assert made.caps(*words, "--max-connections=80") == [(77, ())]


def test_without_a_folder_it_is_unknown(made):
    assert "neither -D nor config_file" in made.unknown("postgres").reason


def test_the_folder_may_be_a_variable(made):
    made.environ |= {"PGDATA": "/data", "PGPASSWORD": "secret"}
    made.write("/data/postgresql.conf", "max_connections = 50\n")

    assert made.caps("postgres") == [(47, ())]
    assert "secret" not in f"{made.entries('postgres')}"


def test_a_file_that_includes_itself_is_unknown(made):
    made.write("/data/postgresql.conf", "include 'postgresql.conf'\n")

    assert "more than 10 deep" in made.unknown(*WORDS).reason


def test_a_real_one_admits_what_was_read(start_postgresql, fill, log_in):
    postgresql = start_postgresql("max_connections = 20\nsuperuser_reserved_connections = 4\n")

    assert fill(postgresql.port, ask=log_in("plain"), answer=b"Z\0\0\0\5") == postgresql.cap().value
    assert postgresql.cap().value == 16


@pytest.mark.parametrize(
    ("text", "source"),
    [
        (
            "",
            "/data/postgresql.conf (the default, as none is set): max_connections 100, less 3 kept for superusers",
        ),
        (
            "superuser_reserved_connections = 0",
            "(the default, as none is set): max_connections 100",
        ),
    ],
)
def test_a_cap_says_where_it_stands_and_what_is_kept(made, text, source):
    made.write("/data/postgresql.conf", text + "\n")
    *told, cap = made.entries(*WORDS)

    assert cap.source.endswith(source)
    assert ["superuser_reserved_connections", "reserved_connections"] == [
        each.name for each in told
    ]
    assert {None} == {each.resource for each in told}


def test_an_include_that_is_missing_is_unknown(made):
    made.write("/data/postgresql.conf", "include 'missing.conf'\n")

    assert "missing.conf does not exist" in made.unknown(*WORDS).reason


def test_ten_files_may_include_one_another(made):
    for number in range(10):
        made.write(f"/data/{number}.conf", f"include '{number + 1}.conf'\n")
    made.write("/data/10.conf", "max_connections = 13\n")

    assert made.caps("postgres", "-c", "config_file=/data/0.conf") == [(10, ())]

    for first in ("include '0.conf'", "include_dir 'd'"):
        made.write("/data/d/a.conf", "include '../0.conf'\n")
        made.write("/data/postgresql.conf", first + "\n")

        assert "more than 10 deep" in made.unknown(*WORDS).reason


@pytest.mark.parametrize(
    ("words", "cap"),
    [
        (("-N", "70", "-c", "superuser_reserved_connections=0"), 70),
        (("-c", "max-connections=71"), 68),
        (("--superuser-reserved-connections=1",), 99),
        (("max_connections=5",), 97),
        (("--max-connections",), 97),
    ],
)
def test_settings_of_the_command_line(made, words, cap):
    made.write("/data/postgresql.conf", "")

    assert made.caps(*WORDS, *words) == [(cap, ())]
