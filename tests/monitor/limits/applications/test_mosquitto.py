"""mosquitto by its file, and a real one filled until it refuses."""

CONNECT = b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00"
WORDS = ("/usr/sbin/mosquitto", "-c", "/etc/mosquitto/mosquitto.conf")


def test_each_listener_has_its_own(made):
    made.write(
        WORDS[2],
        """max_connections 5
# listener 99
listener 1884 127.0.0.1
max_connections 6
listener 9001
protocol websockets
max_connections -1
include_dir /etc/mosquitto/conf.d
""",
    )
    made.write("/etc/mosquitto/conf.d/a.conf", "listener 0 /run/socket\nmax_connections 9\n")

    assert made.caps(*WORDS) == [(5, (1883,)), (6, (1884,))]


def test_a_cap_of_all_listeners_is_the_only_entry(made):
    made.write(WORDS[2], "global_max_connections 7\nlistener 1884\n")

    assert [7] == [each.value for each in made.entries(*WORDS)]


def test_a_file_without_a_cap_is_said_once(made):
    made.write(WORDS[2], "global_max_connections -1\nlistener 1884\n")

    assert ["unlimited"] == [each.state.value for each in made.entries(*WORDS)]


def test_the_port_of_the_first_listener_may_come_behind_its_cap(made):
    made.write(WORDS[2], "max_connections 5\nport 1999\n")

    assert made.caps(*WORDS) == [(5, (1999,))]


def test_a_cap_that_may_not_hold_for_websockets_says_so_wherever_the_protocol_stands(made):
    made.write(
        WORDS[2],
        "listener 1\nmax_connections 6\nprotocol websockets\nlistener 2\nprotocol mqtt\nmax_connections 7\n",
    )
    web, plain = made.entries(*WORDS)

    assert (web.value, plain.value) == (6, 7)
    assert web.source.endswith(
        "which some versions (2.0.11) do not apply to WebSockets: it may admit more"
    )
    assert plain.source == f"{WORDS[2]}:6: max_connections 7"


def test_all_listeners_together_may_have_one(made):
    made.write(WORDS[2], "global_max_connections 8\n")

    assert made.caps(*WORDS) == [(8, ())]


def test_none_is_said_where_it_was_read(made):
    made.write(WORDS[2], "max_connections -1\n")
    (entry,) = made.entries(*WORDS)

    assert (entry.value, entry.state.value) == (None, "unlimited")
    assert made.entries("mosquitto")[0].state.value == "unlimited"


def test_a_port_that_is_no_number_is_unknown(made):
    made.write(WORDS[2], "listener many\nmax_connections 1\n")

    assert made.unknown(*WORDS).source == f"{WORDS[2]}:1"


def test_a_real_one_admits_what_was_read(start_server, free_port, fill, tmp_path):
    port = free_port()
    path = tmp_path / "mosquitto.conf"
    path.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\nmax_connections 19\nuser root\n"
    )
    mosquitto = start_server("mosquitto", "-c", path, port=port)

    assert fill(port, ask=CONNECT, answer=b"\x20\x02\x00\x00") == mosquitto.cap().value == 19
