"""What a JVM's options say of its servers."""

import pytest


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
