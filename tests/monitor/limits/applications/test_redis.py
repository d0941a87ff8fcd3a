"""Redis by its files and words, and a real one filled until it refuses."""

import pytest

TITLE = "/usr/bin/redis-server 127.0.0.1:6380"


def test_the_file_is_the_first_word(made):
    made.write("/srv/mine.conf", "port 6380\nmaxclients 50\n")
    (entry,) = made.entries("redis-server", "mine.conf")

    assert (entry.value, entry.source) == (50, "/srv/mine.conf:2: maxclients 50")


def test_an_option_beats_the_file_and_the_last_of_included_files_counts(made):
    made.write("/a.conf", "maxclients 50\ninclude /b.conf\n")
    made.write("/b.conf", 'maxclients "60"\n')

    assert made.caps("redis-server", "/a.conf") == [(60, ())]
    assert made.caps("redis-server", "/a.conf", "--maxclients", "7") == [(7, ())]


def test_too_few_descriptors_lower_it(made):
    made.open_files = 232

    assert made.caps("redis-server") == [(200, ())]


def test_the_default_is_ten_thousand(made):
    made.open_files = 65_536

    assert made.caps("redis-server", "--port", "1") == [(10_000, ())]


def test_behind_a_title_the_usual_file_counts_where_it_names_the_port(made):
    made.write("/etc/redis/redis.conf", "port 6380\nmaxclients 50\n")

    assert made.caps(TITLE) == [(50, ())]


@pytest.mark.parametrize("text", ["port 6379\nmaxclients 50\n", "maxclients 50\n"])
def test_a_file_of_another_port_is_not_taken(made, text):
    made.write("/etc/redis/redis.conf", text)

    assert "another port" in made.unknown(TITLE).reason


def test_behind_a_title_without_any_file_it_is_unknown(made):
    assert "none of the usual places" in made.unknown(TITLE).reason


@pytest.mark.parametrize("how", ["file", "option"])
def test_a_real_one_admits_what_was_read(start_server, free_port, fill, tmp_path, how):
    port = free_port()
    text = f"bind 127.0.0.1\nport {port}\nset-proc-title no\ndir {tmp_path}\n"
    path = tmp_path / "redis.conf"
    path.write_text(text + ("maxclients 23\n" if how == "file" else ""))
    options = () if how == "file" else ("--maxclients", "23")
    redis = start_server("redis-server", path, *options, port=port)

    assert fill(port, ask=b"PING\r\n", answer=b"+PONG") == redis.cap().value == 23


def test_a_real_one_that_shows_a_title_is_unknown(start_server, free_port, tmp_path):
    port = free_port()
    redis = start_server(
        "redis-server", "--bind", "127.0.0.1", "--port", port, "--dir", tmp_path, port=port
    )

    assert redis.cap().value is None
    assert "title" in redis.cap().reason or "usual places" in redis.cap().reason
