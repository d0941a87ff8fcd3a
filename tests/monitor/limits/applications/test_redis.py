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


def test_a_real_one_that_shows_a_title_is_unknown(start_server, free_port, wait_until, tmp_path):
    port = free_port()
    redis = start_server(
        "redis-server", "--bind", "127.0.0.1", "--port", port, "--dir", tmp_path, port=port
    )

    # It listens before it shows one.
    wait_until(lambda: redis.cap().value is None)
    assert "title" in redis.cap().reason or "usual places" in redis.cap().reason


@pytest.mark.parametrize(
    ("open_files", "asked", "cap", "is_lowered"),
    [
        (232, 200, 200, False),
        (232, 201, 200, True),
        (20, 1, 0, True),
        ("unlimited", 99_999, 99_999, False),
    ],
)
def test_thirty_two_descriptors_are_its_own(made, open_files, asked, cap, is_lowered):
    made.open_files = open_files
    (entry,) = made.entries("redis-server", "--maxclients", str(asked))

    assert entry.value == cap
    assert is_lowered is entry.source.endswith(f", but {open_files} descriptors less 32 of its own")


def test_eight_files_may_include_one_another(made):
    for number in range(8):
        made.write(f"/{number}.conf", f"include /{number + 1}.conf\n")
    made.write("/8.conf", "maxclients 3\n")

    assert made.caps("redis-server", "/0.conf") == [(3, ())]

    made.write("/a.conf", "include /0.conf\n")

    assert "more than 8 deep" in made.unknown("redis-server", "/a.conf").reason


@pytest.mark.parametrize(
    ("title", "text", "cap"),
    [
        ("redis-server *:6379", "maxclients 50\n", 50),
        ("redis-server *:6379 [cluster]", "port 6379\nmaxclients 50\n", 50),
        ("/usr/bin/valkey-server 127.0.0.1:7", "port 7\nmaxclients 50\n", 50),
    ],
)
def test_a_title_names_the_port_and_6379_is_the_usual_one(made, title, text, cap):
    made.write("/etc/redis.conf", text)

    assert made.caps(title) == [(cap, ())]


def test_an_option_is_no_file(made):
    made.write("/srv/--port", "maxclients 50\n")
    made.open_files = 65_536

    assert made.caps("redis-server", "--port", "1") == [(10_000, ())]
    assert made.caps("redis-server") == [(10_000, ())]
