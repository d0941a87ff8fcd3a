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

    assert made.caps(*WORDS) == [(1014, ()), cap]


def test_a_variable_beats_the_file(made):
    made.environ["EMQX_LISTENERS__TCP__DEFAULT__MAX_CONNECTIONS"] = "9"
    made.write(PATH, "listeners.tcp.default.max_connections = 50")

    assert made.caps(*WORDS)[-1] == (9, (1883,))


def test_a_variable_may_be_of_any_listener(made):
    made.environ |= {
        "EMQX_LISTENERS__WS__MINE__MAX_CONNECTIONS": "9",
        "EMQX_LISTENERS__WS__MINE__BIND": '"0.0.0.0:81"',
        "EMQX_LISTENERS__WS__MINE__SSL_OPTIONS__PASSWORD": "secret",
    }
    made.write(PATH, "")

    assert made.caps(*WORDS)[-1] == (9, (81,))
    assert "secret" not in f"{made.entries(*WORDS)}"


def test_what_the_dashboard_wrote_is_beaten_by_the_file(made):
    made.write(
        "/opt/emqx/data/configs/cluster.hocon",
        "listeners {\n tcp {\n default { max_connections = 7 }\n}\n ssl {\n default { max_connections = 8 }\n}}",
    )
    made.write(PATH, "listeners.tcp.default.max_connections = 50")

    assert sorted(made.caps(*WORDS)) == [(8, (8883,)), (50, (1883,)), (1014, ())]


def test_a_listener_that_is_off_caps_nobody(made):
    made.write(PATH, "listeners.tcp.default {\n enable = false\n max_connections = 50\n}")

    assert made.caps(*WORDS) == [(1014, ())]


def test_none_is_said_where_it_was_read(made):
    made.write(PATH, "listeners.tcp.default.max_connections = infinity\nnode.cookie = secret\n")

    assert made.entries(*WORDS)[-1].state.value == "unlimited"
    assert "secret" not in f"{made.entries(*WORDS)}"


def test_what_is_no_number_is_unknown(made):
    made.write(PATH, "\nlisteners.ssl.default.max_connections = ${MOST}\n")

    assert made.unknown(*WORDS).source == f"{PATH}:2"


@pytest.mark.parametrize(
    ("kind", "port"), [("tcp", 1883), ("ssl", 8883), ("ws", 8083), ("wss", 8084), ("quic", None)]
)
def test_a_listener_without_an_address_has_the_port_of_its_kind(made, kind, port):
    made.write(PATH, f"listeners.{kind}.mine.max_connections = 50")

    assert made.caps(*WORDS)[-1] == (50, () if port is None else (port,))


@pytest.mark.parametrize(
    ("bind", "ports"),
    [("65535", (65535,)), ("123456", ()), ("[::]:84", (84,)), ("${PORT}", ())],
)
def test_an_address_says_the_port_or_it_is_not_known(made, bind, ports):
    made.write(PATH, f"listeners.tcp.a {{\n bind = {bind}\n max_connections = 5\n}}")

    assert made.caps(*WORDS)[-1] == (5, ports)


def test_a_block_ends_where_its_brace_stands(made):
    made.write(
        PATH,
        """node { name = "x" }
listeners {
  tcp {
    a { bind = 81 }
    a { max_connections = 5, // few
    }
    "b" {
      bind = 82
      max_connections = 6
      acceptors { max_connections = 9 }
    }
  }
  ws.c = {
    bind = 83
    max_connections = 7
  }
}
max_connections = 8
""",
    )

    assert made.caps(*WORDS)[1:] == [(5, (81,)), (6, (82,)), (7, (83,))]


def test_each_kind_has_a_variable_and_it_stands_beside_the_file(made):
    made.environ["EMQX_LISTENERS__WS__DEFAULT__MAX_CONNECTIONS"] = "9"
    made.write(PATH, "listeners.tcp.default.max_connections = 50")

    assert made.caps(*WORDS)[1:] == [(50, (1883,)), (9, (8083,))]
