"""What a JVM's options say of its servers."""

import shutil
from pathlib import Path

import pytest

HOME = Path("/usr/share/jetty9")
ASK = b"GET / HTTP/1.1\r\nHost: target\r\n\r\n"


def test_direct_memory_is_told_and_caps_no_connection(made):
    made.environ["JAVA_TOOL_OPTIONS"] = "-XX:MaxDirectMemorySize=64m -Dpassword=secret"
    (entry,) = made.entries("java", "-jar", "app.jar")

    assert (entry.value, entry.unit, entry.resource) == (64 << 20, "bytes", None)
    assert "secret" not in f"{entry}"


@pytest.mark.parametrize(
    ("words", "environ"),
    [
        (("java", "-Dserver.tomcat.max-connections=50", "-jar", "app.jar"), {}),
        (("java", "-jar", "app.jar", "--server.tomcat.max-connections=50"), {}),
        (("java", "-jar", "app.jar"), {"SERVER_TOMCAT_MAXCONNECTIONS": "50"}),
        (("java", "-jar", "app.jar"), {"SERVER_JETTY_MAXCONNECTIONS": "50"}),
    ],
)
def test_spring_takes_it_from_options_and_variables(made, words, environ):
    made.environ |= environ

    assert made.caps(*words) == [(50, ())]


def test_a_jvm_that_says_nothing_has_no_entry(made):
    assert made.entries("java", "-jar", "app.jar") == []


def test_jetty_has_one_where_its_module_is_on(made):
    words = ("java", "-Djetty.base=/base", "-jar", "/opt/jetty/start.jar")
    made.write("/base/start.d/limit.ini", "jetty.connectionlimit.maxConnections=50\n")

    assert [entry.state.value for entry in made.entries(*words)] == ["unlimited"]

    made.write("/base/start.ini", "--module=http,connectionlimit\n")

    assert made.caps(*words) == [(50, ())]
    assert made.caps(*words, "jetty.connectionlimit.maxConnections=40") == [(40, ())]

    made.write("/base/start.d/limit.ini", "")

    assert made.caps(*words) == [(1000, ())]
    assert made.caps("java", "-jar", "/opt/jetty/start.jar", "jetty.base=/base") == [(1000, ())]


def test_a_real_jetty_admits_what_was_read(start_server, free_port, fill, tmp_path):
    if not (HOME / "start.jar").exists() or shutil.which("java") is None:
        pytest.skip("Jetty 9 is not installed (jetty9)")
    port = free_port()
    (tmp_path / "webapps").mkdir()
    (tmp_path / "start.ini").write_text(
        f"--module=http\n--module=connectionlimit\njetty.http.host=127.0.0.1\njetty.http.port={port}\n"
        "jetty.connectionlimit.maxConnections=12\njetty.connectionlimit.idleTimeout=60000\n"
    )
    words = ("java", f"-Djetty.home={HOME}", "-Xmx64m", "-jar", HOME / "start.jar")
    jetty = start_server(*words, port=port)

    assert fill(port, ask=ASK, answer=b"HTTP/1.1") == jetty.cap().value == 12


@pytest.mark.parametrize(
    ("size", "size_bytes"), [("64k", 64 << 10), ("2G", 2 << 30), ("1t", 1 << 40), ("5", 5)]
)
def test_direct_memory_has_its_units(made, size, size_bytes):
    (entry,) = made.entries("java", f"-XX:MaxDirectMemorySize={size}", "Main")

    assert size_bytes == entry.value
    assert entry.source.endswith("/7/cmdline: MaxDirectMemorySize " + size)


def test_jetty_is_told_by_the_first_words_of_its_command_line(made):
    early = ("java", *["-ea"] * 6, "jetty.jar")
    late = ("java", *["-ea"] * 7, "jetty.jar")

    assert ["unlimited"] == [entry.state.value for entry in made.entries(*early)]
    assert [] == made.entries(*late)


def test_a_property_that_is_a_number_is_a_setting_and_no_other_is(made):
    made.write("/base/start.ini", "--module=connectionlimit\n")
    words = ("java", "-Djetty.base=/base", "-Djetty.connectionlimit.maxConnections={}", "Main")

    assert made.caps(*[word.format("7") for word in words]) == [(7, ())]
    assert made.caps(*[word.format("x7") for word in words]) == [(1000, ())]


def test_an_option_of_spring_beats_a_property_and_that_a_variable(made):
    made.environ["SERVER_TOMCAT_MAXCONNECTIONS"] = "5"
    words = ("java", "-jar", "app.jar")
    given = "server.tomcat.max-connections"

    assert made.caps(*words) == [(5, ())]
    assert made.caps("java", f"-D{given}=6", "-jar", "app.jar") == [(6, ())]
    assert made.caps("java", f"-D{given}=6", "-jar", "app.jar", f"--{given}=7") == [(7, ())]
    assert made.caps("java", f"-X{given}=6", "-jar", "app.jar") == [(5, ())]


def test_a_module_of_jetty_may_be_asked_for_on_the_command_line(made):
    made.write("/srv/start.ini", "jetty.connectionlimit.maxConnections=50\n")

    assert made.caps("java", "-jar", "jetty.jar", "--module=connectionlimit") == [(50, ())]
