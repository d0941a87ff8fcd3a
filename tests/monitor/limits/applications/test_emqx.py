"""EMQX by its file and variables."""

import pytest

WORDS = ("/opt/emqx/erts/bin/beam.smp", "+Q", "1024", "-progname", "emqx")
PATH = "/opt/emqx/etc/emqx.conf"


@pytest.mark.parametrize(
    ("text", "cap"),
    [
        ("listeners.tcp.default.max_connections = 50", (50, (1883,))),
        (
            'listeners.tcp.default {\n bind = "0.0.0.0:1884"\n max_connections = 50\n}',
            (50, (1884,)),
        ),
        (
            "listeners {\n ws {\n  mine {\n   bind = 81\n   max_connections: 50 # few\n}}}",
            (50, (81,)),
        ),
    ],
)
def test_a_listener_may_have_its_own(made, text, cap):
    made.write(PATH, text)

    assert made.caps(*WORDS) == [(1024, ()), cap]


def test_a_variable_beats_the_file(made):
    made.environ["EMQX_LISTENERS__TCP__DEFAULT__MAX_CONNECTIONS"] = "9"
    made.write(PATH, "listeners.tcp.default.max_connections = 50")

    assert made.caps(*WORDS)[-1] == (9, (1883,))


def test_none_is_said_where_it_was_read(made):
    made.write(PATH, "listeners.tcp.default.max_connections = infinity\nnode.cookie = secret\n")

    assert made.entries(*WORDS)[-1].state.value == "unlimited"
    assert "secret" not in f"{made.entries(*WORDS)}"


def test_what_is_no_number_is_unknown(made):
    made.write(PATH, "\nlisteners.ssl.default.max_connections = ${MOST}\n")

    assert made.unknown(*WORDS).source == f"{PATH}:2"
