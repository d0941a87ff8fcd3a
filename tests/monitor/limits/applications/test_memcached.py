"""memcached by its words, and a real one filled until it lets clients wait."""

import pytest


@pytest.mark.parametrize(
    ("words", "cap"),
    [
        (("-c", "50"), 26),
        (("-c50",), 26),
        (("--conn-limit=50", "--threads=2"), 34),
        (("-c", "1", "-c", "60"), 36),
        (("-c", "1"), 0),
        ((), 1000),
    ],
)
def test_the_option_counts_as_it_is_written(made, words, cap):
    assert made.caps("/usr/bin/memcached", "-m", "64", *words) == [(cap, ())]


def test_a_real_one_admits_what_was_read(start_server, free_port, fill):
    port = free_port()
    memcached = start_server(
        "memcached", "-u", "root", "-l", "127.0.0.1", "-p", port, "-c", 60, "-t", 2, port=port
    )

    assert fill(port, ask=b"version\r\n", answer=b"VERSION") == memcached.cap().value == 60 - 16


@pytest.mark.parametrize(("listening", "cap"), [(0, 26), (1, 26), (3, 24)])
def test_each_address_that_it_listens_on_takes_one(made, listening, cap):
    (entry,) = made.entries("memcached", "-c", "50", listening=listening)

    assert entry.value == cap
    assert entry.source.endswith(f"less {50 - cap} descriptors of its own")
