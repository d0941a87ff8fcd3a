"""websocketd by its words."""


def test_max_forks_is_the_cap(made):
    assert made.caps("websocketd", "--port=80", "--maxforks=9", "cat") == [(9, ())]


def test_without_it_there_is_none(made):
    assert [each.state.value for each in made.entries("websocketd", "cat")] == ["unlimited"]


def test_a_real_one_admits_what_was_read(start_server, free_port, fill):
    port = free_port()
    words = ("websocketd", "--address=127.0.0.1", f"--port={port}", "--maxforks=11", "cat")
    websocketd = start_server(*words, port=port)

    assert fill(port) == websocketd.cap().value == 11
