"""RabbitMQ by its files, and a real one filled until it refuses."""

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

WORDS = ("/usr/lib/erlang/erts/bin/beam.smp", "-s", "rabbit", "boot")
SCRIPT = "/usr/lib/rabbitmq/bin/rabbitmq-server"
OPEN_OK = b"\x00\x0a\x00\x29"


def frame(method: bytes) -> bytes:
    return b"\1\0\0" + len(method).to_bytes(4, "big") + method + b"\xce"


LOG_IN = (
    b"AMQP\x00\x00\x09\x01"
    + frame(b"\0\x0a\0\x0b" + bytes(4) + b"\5PLAIN" + b"\0\0\0\x0c\0guest\0guest" + b"\5en_US")
    + frame(b"\0\x0a\0\x1f" + b"\x07\xff" + (131_072).to_bytes(4, "big") + b"\0\0")
    + frame(b"\0\x0a\0\x28" + b"\1/" + b"\0" + b"\0")
)
"""What a client says up to connection.open, without waiting for answers."""


PLAIN_PORTS = (1883, 5671, 5672, 8883, 61613, 61614)
SOCKETS_OF_4096 = 3597
"""As (4096 - 97) * 0.9 - 2."""


def test_before_version_4_it_keeps_descriptors_for_its_files(made):
    made.environ["ERL_LIBS"] = "/usr/lib/rabbitmq/lib/rabbitmq_server-3.10.8/plugins"
    made.write("/etc/rabbitmq/rabbitmq.conf", "")
    made.open_files = 1024

    assert made.caps(*WORDS) == [(65_526, ()), (832, ())]


def test_from_version_4_on_it_keeps_none(made):
    made.environ["ERL_LIBS"] = "/opt/rabbitmq/plugins"
    made.write("/opt/rabbitmq/plugins/rabbit-4.0.2/ebin/rabbit.app", "")
    made.write("/etc/rabbitmq/rabbitmq.conf", "")

    assert made.caps(*WORDS) == [(65_526, ())]


def test_a_version_that_cannot_be_told_is_taken_for_one_that_keeps_them(made):
    made.write("/etc/rabbitmq/rabbitmq.conf", "")
    [entry] = [each for each in made.entries(*WORDS) if each.value == SOCKETS_OF_4096]

    assert entry.source.endswith("if it is older than 4.0")


def test_the_last_of_its_files_counts(made):
    made.write("/etc/rabbitmq/rabbitmq.conf", "connection_max = 50 # few\nchannel_max = 100\n")
    made.write("/etc/rabbitmq/conf.d/90.conf", "connection_max = 60\nnum_acceptors.tcp = 5\n")

    assert made.caps(*WORDS) == [(65_526, ()), (SOCKETS_OF_4096, ()), (64, PLAIN_PORTS)]


def test_a_variable_names_another_file(made):
    made.environ["RABBITMQ_CONFIG_FILE"] = "/mine"
    made.write("/etc/rabbitmq/rabbitmq.conf", "connection_max = 50\n")
    made.write("/mine.conf", "connection_max = 40\n")

    assert made.caps(*WORDS)[-1] == (49, PLAIN_PORTS)


@pytest.mark.parametrize("text", ["connection_max = infinity\n", ""])
def test_none_is_said_where_it_was_read(made, text):
    made.write("/etc/rabbitmq/rabbitmq.conf", text)

    assert made.entries(*WORDS)[-1].state.value == "unlimited"


def test_a_variable_in_the_file_is_unknown(made):
    made.write("/etc/rabbitmq/rabbitmq.conf", "\nconnection_max = $(MOST)\n")

    assert made.unknown(*WORDS).source == "/etc/rabbitmq/rabbitmq.conf:2"


def test_a_real_one_admits_what_was_read(start_server, free_port, fill, tmp_path):
    if not Path(SCRIPT).exists() or shutil.which("epmd") is None:
        pytest.skip("RabbitMQ is not installed (rabbitmq-server)")
    port, mapper = free_port(), free_port()
    (tmp_path / "rabbit.conf").write_text(
        f"listeners.tcp.1 = 127.0.0.1:{port}\nconnection_max = 7\n"
    )
    (tmp_path / "plugins").write_text("[].")
    environ = {
        **os.environ,
        "HOME": str(tmp_path),
        "ERL_EPMD_PORT": str(mapper),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODENAME": f"test{port}@localhost",
        "RABBITMQ_CONFIG_FILE": str(tmp_path / "rabbit"),
        "RABBITMQ_MNESIA_BASE": str(tmp_path),
        "RABBITMQ_LOG_BASE": str(tmp_path),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(tmp_path / "plugins"),
        "RABBITMQ_PID_FILE": str(tmp_path / "pid"),
        "RABBITMQ_DIST_PORT": str(free_port()),
    }
    epmd = subprocess.Popen(["epmd", "-port", str(mapper), "-address", "127.0.0.1"])
    try:
        rabbit = start_server("sh", SCRIPT, port=port, env=environ)
        time.sleep(1.0)

        assert fill(port, ask=LOG_IN, answer=OPEN_OK) == rabbit.cap().value == 7 + 9
    finally:
        epmd.kill()
        epmd.wait()
