"""server.xml and standalone.xml as texts, and a real Tomcat filled until it lets clients wait."""

import shutil
from pathlib import Path

import pytest

WORDS = ("/usr/bin/java", "-Dcatalina.base=/base", "org.apache.catalina.startup.Bootstrap", "start")
PATH = "/base/conf/server.xml"
HOME = Path("/usr/share/tomcat10")
SERVER = """<Server port="-1"><Service name="Catalina">
<Connector address="127.0.0.1" port="{port}" maxConnections="13" keepAliveTimeout="60000"/>
<Engine name="Catalina" defaultHost="localhost"><Host name="localhost"/></Engine>
</Service></Server>
"""
ASK = b"GET / HTTP/1.1\r\nHost: target\r\n\r\n"


def test_each_connector_has_its_own(made):
    made.write(
        PATH,
        """<?xml version="1.0"?>
<Server><!-- <Connector port="1" maxConnections="1"/> -->
  <Connector port="8080"
             maxConnections="50" maxThreads="10"/>
  <Connector port="8443" SSLEnabled="true"/>
  <Connector port="-1" maxConnections="9"/>
  <Connector port="8009" maxConnections="-1"/>
</Server>""",
    )
    entries = made.entries(*WORDS)

    assert made.caps(*WORDS) == [(50, (8080,)), (8192, (8443,))]
    assert {entry.source for entry in entries if entry.value == 50} == {
        f"{PATH}:3: maxConnections 50"
    }
    assert [entry.value for entry in entries if entry.name == "maxThreads"] == [10, 200, 200]


def test_a_property_of_the_command_line_is_followed_and_any_other_is_unknown(made):
    made.write(PATH, '<Server><Connector port="${port}" maxConnections="${most}"/></Server>')
    words = (WORDS[0], WORDS[1], "-Dport=81", *WORDS[2:])

    assert made.caps(words[0], "-Dmost=7", *words[1:]) == [(7, (81,))]
    assert made.unknown(words[0], "-Dmost=secret", *words[1:]).source == f"{PATH}:1"
    assert made.unknown(*words).source == f"{PATH}:1"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("<Server>", "no XML that can be parsed"),
        ('<!DOCTYPE x [<!ENTITY a "aaaa">]><Server>&a;</Server>', "declares entities"),
    ],
)
def test_what_is_no_plain_xml_is_unknown(made, text, reason):
    made.write(PATH, text)

    assert reason in made.unknown(*WORDS).reason


def test_listeners_of_undertow_have_a_cap_where_they_say_so(made):
    words = ("java", "-Djboss.home.dir=/opt/wildfly", "-jar", "jboss-modules.jar")
    made.write(
        "/opt/wildfly/standalone/configuration/standalone.xml",
        '<server xmlns="urn:jboss:domain:20.0"><subsystem xmlns="urn:jboss:domain:undertow:14.0">'
        '<http-listener name="a" max-connections="50"/><https-listener name="b"/></subsystem></server>',
    )

    assert made.caps(*words) == [(50, ())]


def test_a_wildfly_without_any_cap_says_so(made):
    words = ("java", "-Djboss.home.dir=/opt/wildfly", "-jar", "x.jar", "-c", "small.xml")
    made.write(
        "/opt/wildfly/standalone/configuration/small.xml", "<server><http-listener/></server>"
    )
    (entry,) = made.entries(*words)

    assert entry.state.value == "unlimited"


def test_a_real_tomcat_serves_what_was_read(start_server, free_port, fill, tmp_path):
    if not HOME.exists() or shutil.which("java") is None:
        pytest.skip("Tomcat 10 is not installed (tomcat10)")
    port = free_port()
    for name in ("conf", "logs", "temp", "webapps", "work"):
        (tmp_path / name).mkdir()
    (tmp_path / "conf/server.xml").write_text(SERVER.format(port=port))
    (tmp_path / "conf/web.xml").write_text("<web-app/>")
    tomcat = start_server(
        "java",
        *(f"-Dcatalina.base={tmp_path}", f"-Dcatalina.home={HOME}", "-Xmx64m", "-cp"),
        f"{HOME}/bin/bootstrap.jar:{HOME}/bin/tomcat-juli.jar",
        *("org.apache.catalina.startup.Bootstrap", "start"),
        port=port,
    )

    assert fill(port, ask=ASK, answer=b"HTTP/1.1") == tomcat.cap().value == 13
