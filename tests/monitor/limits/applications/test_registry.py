"""Every reader, whatever a configuration says: numbers or reasons, and nothing else."""

import os
import re
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.domain.resources import LimitState
from capacity.monitor.limits.applications.registry import READERS, program_of

PATH = "/etc/all.conf"
USUAL = (
    "/etc/nginx/nginx.conf",
    "/etc/haproxy/haproxy.cfg",
    "/etc/apache2/apache2.conf",
    "/etc/lighttpd/lighttpd.conf",
    "/etc/redis/redis.conf",
    "/etc/pgbouncer/pgbouncer.ini",
    "/etc/mysql/my.cnf",
    "/etc/tinyproxy/tinyproxy.conf",
    "/etc/rabbitmq/rabbitmq.conf",
    "/opt/emqx/etc/emqx.conf",
    "/data/postgresql.conf",
    "/base/conf/server.xml",
    "/srv/gunicorn.conf.py",
    "/etc/vsftpd.conf",
    "/etc/ngircd/ngircd.conf",
    "/etc/caddy/Caddyfile",
    "/etc/traefik/traefik.yaml",
    "/etc/httpd/conf/httpd.conf",
)
WORDS = {
    "mosquitto": ("-c", PATH),
    "nats-server": ("-c", PATH),
    "gnatsd": ("-c", PATH),
    "envoy": ("-c", PATH),
    "traefik": (f"--providers.file.filename={PATH}",),
    "redis-server": (PATH,),
    "keydb-server": (PATH,),
    "valkey-server": (PATH,),
    "postgres": ("-D", "/data"),
    "postmaster": ("-D", "/data"),
    "beam": ("rabbit", "emqx"),
    "beam.smp": ("rabbit", "emqx"),
    "java": ("-Dcatalina.base=/base",),
    "perl": (PATH, "daemon"),
    **dict.fromkeys(("uwsgi", "uwsgi-core", "pyuwsgi"), ("--ini", PATH)),
}
PIECES = st.sampled_from(
    [
        *("{", "}", ";", "\n", '"', "'", "\\", "#", "=", ":", "[", "]", "<", ">", "$", "\0", "é"),
        *("include ", "Include ", "!include ", "%include ", "include_dir ", "*", PATH, "/etc"),
        *(
            "worker_connections ",
            "static_resources: ",
            "http: ",
            "reverse_proxy a {\n",
            "import ",
            "- ",
            "maxconn ",
            "global\n",
            "defaults\n",
            "frontend a\n",
            "bind :80\n",
        ),
        *(
            "server a ",
            "listen ",
            "upstream a ",
            "MaxRequestWorkers ",
            "max_connections ",
            "maxclients ",
        ),
        *("server.max-connections ", "[mysqld]\n", "[pgbouncer]\n", "<Connector maxConnections='"),
        *(
            "listeners.tcp.a.max_connections ",
            "workers = ",
            "5",
            "-1",
            "99999999999999999999",
            "k",
            "%",
        ),
        *(
            "<IfModule mpm_x>",
            "</",
            ".if\n",
            ".endif\n",
            "x_by_lua_block {",
            "${A}",
            "{{ a }}",
            "  ",
        ),
    ]
)
TEXTS = st.one_of(st.text(max_size=200), st.lists(PIECES, max_size=40).map("".join))


def test_there_are_at_least_twenty_servers_and_each_is_found_by_its_name():
    assert len({reader.__module__ for reader in READERS.values()}) >= 20
    assert program_of(("python3", "gunicorn")) == "gunicorn"
    assert program_of(("bash",)) is None


@pytest.mark.parametrize("name", sorted(READERS))
def test_no_text_ends_a_reader(name, tmp_path_factory, make):
    @given(TEXTS)
    def read(text):
        made = make(tmp_path_factory.mktemp("made"))
        for path in (PATH, *USUAL):
            made.write(path, text)
        check(made.entries(name, *WORDS.get(name, ())))

    read()


@pytest.mark.parametrize("name", sorted(READERS))
def test_no_words_and_variables_end_a_reader(name, tmp_path_factory, make):
    option = st.sampled_from(
        [
            "-c",
            "-f",
            "-D",
            "-n",
            "-w",
            "-k",
            "+Q",
            "--",
            "--workers=",
            "-Dmost=",
            "--max-connections=",
        ]
    )
    texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=9)
    words = st.lists(st.one_of(option, texts), max_size=6)

    @given(words, texts)
    def read(words, variable):
        made = make(tmp_path_factory.mktemp("made"))
        for known in ("WEB_CONCURRENCY", "GUNICORN_CMD_ARGS", "JAVA_TOOL_OPTIONS", "ERL_MAX_PORTS"):
            made.environ[known] = variable
        check(made.entries(name, *words))

    read()


INCLUDES = {
    "nginx": ("/etc/nginx/nginx.conf", "include /etc/nginx/*.conf;"),
    "apache2": ("/etc/apache2/apache2.conf", "Include apache2.conf"),
    "lighttpd": ("/etc/lighttpd/lighttpd.conf", 'include "lighttpd.conf"'),
    "redis-server": (PATH, f"include {PATH}"),
    "nats-server": (PATH, "include all.conf"),
    "caddy": ("/etc/caddy/Caddyfile", "import Caddyfile"),
    "pgbouncer": ("/etc/pgbouncer/pgbouncer.ini", "%include /etc/pgbouncer/pgbouncer.ini"),
    "mariadbd": ("/etc/mysql/my.cnf", "!include /etc/mysql/my.cnf"),
    "postgres": ("/data/postgresql.conf", "include 'postgresql.conf'"),
}


@pytest.mark.parametrize("name", sorted(INCLUDES))
def test_a_file_that_includes_itself_is_one_line_that_says_so(made, name):
    path, text = INCLUDES[name]
    made.write(path, f"{text}\n{text}\n")
    entry = made.unknown(name, *WORDS.get(name, ()))

    assert re.search(r"(include|import) one another|has more than 256 files", entry.reason)
    assert path in f"{entry.source} {entry.reason}"


TEMPLATES = {
    "nginx": ("/etc/nginx/nginx.conf", "events {\n worker_connections ${MOST}; }"),
    "haproxy": ("/etc/haproxy/haproxy.cfg", "global\n maxconn ${MOST}"),
    "apache2": (
        "/etc/apache2/apache2.conf",
        "LoadModule mpm_event_module x\nMaxRequestWorkers ${MOST}",
    ),
    "lighttpd": ("/etc/lighttpd/lighttpd.conf", "\nserver.max-connections = env.MOST"),
    "redis-server": (PATH, "\nmaxclients ${MOST}"),
    "nats-server": (PATH, "\nmax_connections: $MOST"),
    "mosquitto": (PATH, "listener 1883\nmax_connections {{ most }}"),
    "caddy": (
        "/etc/caddy/Caddyfile",
        ":80 {\nreverse_proxy a {\nunhealthy_request_count {$MOST}\n}\n}",
    ),
    "envoy": (PATH, "static_resources:\n  clusters: {{ clusters }}"),
    "traefik": (PATH, "http:\n  routers: {{ routers }}"),
    "pgbouncer": ("/etc/pgbouncer/pgbouncer.ini", "[pgbouncer]\nmax_client_conn = {{ most }}"),
    "mariadbd": ("/etc/mysql/my.cnf", "[mysqld]\nmax_connections = ${MOST}"),
    "postgres": ("/data/postgresql.conf", "\nmax_connections = {{ most }}"),
    "tinyproxy": ("/etc/tinyproxy/tinyproxy.conf", "\nMaxClients ${MOST}"),
    "vsftpd": ("/etc/vsftpd.conf", "\nmax_clients=${MOST}"),
    "ngircd": ("/etc/ngircd/ngircd.conf", "[Limits]\nMaxConnections = ${MOST}"),
    "java": ("/base/conf/server.xml", "<Server>\n<Connector maxConnections='${most}'/></Server>"),
    "uwsgi": (PATH, "[uwsgi]\ngevent = $(MOST)"),
    "gunicorn": ("/srv/gunicorn.conf.py", "\nworkers = int(os.environ['MOST'])"),
}


@pytest.mark.parametrize("name", sorted(TEMPLATES))
def test_a_value_that_something_else_fills_in_is_one_line_that_says_where(made, name):
    path, text = TEMPLATES[name]
    made.write(path, text)
    entry = made.unknown(name, *WORDS.get(name, ()))

    assert entry.source == f"{path}:{3 if name == 'caddy' else 2}"
    assert "most" not in f"{entry.reason} {entry.name}".lower()


def write_large(place):
    with place.open("wb") as file:
        file.truncate(10 << 20)


def write_loop(place):
    place.symlink_to(place.name)


HOSTILE = {
    "10 MB": (write_large, "larger than 1 MiB"),
    "a pipe": (os.mkfifo, "not a regular file"),
    "a folder": (Path.mkdir, "not a regular file"),
    "a device": (lambda place: place.symlink_to("/dev/zero"), "not a regular file"),
    "a link to itself": (write_loop, "too many links"),
}
WITHOUT_FILES = {
    *("daphne", "granian", "hypercorn", "memcached", "uvicorn", "websocketd"),
    *("beam", "beam.smp"),  # RabbitMQ's is read where it is there, EMQX's must be.
}


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize("name", sorted(READERS.keys() - WITHOUT_FILES))
def test_a_file_that_is_none_is_one_line_that_says_so(made, name, kind):
    write, reason = HOSTILE[kind]
    if kind == "a device":
        (made.root / "dev").mkdir()
        try:
            os.mknod(made.root / "dev/zero", 0o666 | stat.S_IFCHR, os.makedev(1, 5))
        except PermissionError:
            pytest.skip("only root may make a device")
    for path in (PATH, *USUAL):
        place = made.root / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        write(place)
    entry = made.unknown(name, *WORDS.get(name, ()))

    assert reason in entry.reason
    assert entry.reason.isprintable()


def test_what_a_stranger_wrote_is_shown_without_its_control_characters(made):
    path = "/etc/\x1b[31m\n\u202e.conf"
    made.write(path, "events { worker_connections many; }\n")
    entry = made.unknown("nginx", "-c", path)

    assert entry.source.endswith(".conf:1")
    assert "many" not in f"{entry}"
    check([entry])


def check(entries):
    for entry in entries:
        assert f"{entry.name}{entry.source}{entry.reason or ''}".isprintable()
        assert (entry.value is None) == (entry.state is not LimitState.KNOWN)
        assert (entry.reason is None) == (entry.state is not LimitState.UNKNOWN)
        assert entry.value is None or entry.value >= 0
        assert entry.source
