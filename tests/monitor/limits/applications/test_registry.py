"""Every reader, whatever a configuration says: numbers or reasons, and nothing else."""

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
)
WORDS = {
    "mosquitto": ("-c", PATH),
    "nats-server": ("-c", PATH),
    "gnatsd": ("-c", PATH),
    "envoy": ("-c", PATH),
    "postgres": ("-D", "/data"),
    "postmaster": ("-D", "/data"),
    "beam": ("rabbit", "emqx"),
    "beam.smp": ("rabbit", "emqx"),
    "java": ("-Dcatalina.base=/base",),
}
PIECES = st.sampled_from(
    [
        *("{", "}", ";", "\n", '"', "'", "\\", "#", "=", ":", "[", "]", "<", ">", "$", "\0", "é"),
        *("include ", "Include ", "!include ", "%include ", "include_dir ", "*", PATH, "/etc"),
        *(
            "worker_connections ",
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


def check(entries):
    for entry in entries:
        assert (entry.value is None) == (entry.state is not LimitState.KNOWN)
        assert (entry.reason is None) == (entry.state is not LimitState.UNKNOWN)
        assert entry.value is None or entry.value >= 0
        assert entry.source
