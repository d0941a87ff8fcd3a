"""Which of RabbitMQ's ports a cap holds for; a real one is filled over WebSocket by the validation."""

import pytest

WORDS = ("/usr/lib/erlang/erts/bin/beam.smp", "-s", "rabbit", "boot")
CONFIG = "/etc/rabbitmq/rabbitmq.conf"


def caps(made, text):
    """Return ports and values of the caps that hold for ports."""
    made.write(CONFIG, text)
    return {ports: value for value, ports in made.caps(*WORDS) if ports}


def test_connection_max_holds_for_the_ports_that_are_set_and_the_usual_others(made):
    text = "connection_max = 11\nlisteners.tcp.1 = 127.0.0.1:5673\nlisteners.tcp.2 = :::5674\n"
    found = caps(made, f"{text}listeners.ssl = none\nmqtt.listeners.tcp.default = 1884\n")

    assert found == {(1884, 5673, 5674, 8883, 61613, 61614): 20}


@pytest.mark.parametrize(
    ("plugin", "text", "ports"),
    [
        ("web_mqtt", "", (15675,)),
        ("web_stomp", "", (15674,)),
        ("web_mqtt", "web_mqtt.tcp.port = 80\n", (80,)),
        ("web_stomp", "web_stomp.tcp.port = 80\nweb_stomp.ssl.port = 443\n", (80, 443)),
    ],
)
def test_listeners_for_websockets_have_caps_of_their_own(made, plugin, text, ports):
    assert caps(made, f"{plugin}.max_connections = 50\n{text}") == {ports: 59}


@pytest.mark.parametrize(("acceptors", "cap"), [(3, 52), (2, 51), (1, 50), (0, 50)])
def test_each_acceptor_but_one_takes_one_more(made, acceptors, cap):
    text = f"web_stomp.max_connections = 50\nweb_stomp.num_acceptors.tcp = {acceptors}\n"

    assert caps(made, text) == {(15674,): cap}


def test_a_cap_that_is_none_is_none(made):
    assert caps(made, "web_stomp.max_connections = infinity\n") == {}
