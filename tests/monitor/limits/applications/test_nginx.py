"""nginx's configuration as texts, and real workers filled until they refuse."""

import pytest

from capacity.domain.resources import LimitState
from capacity.monitor.limits.applications.nginx import ports_of
from capacity.monitor.limits.applications.nginx_syntax import Directive

MASTER = "nginx: master process /usr/sbin/nginx -c /etc/nginx/nginx.conf"
CONFIGURATION = """
daemon off; user root root; worker_processes {workers}; pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections {slots}; }}
http {{
    access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p;
    fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    {http}
    server {{
        listen 127.0.0.1:{port} backlog=1024;
        location / {{
            proxy_pass http://{upstream}; proxy_http_version 1.1;
            proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade;
        }}
    }}
}}
"""


def test_a_client_takes_one_connection_of_a_worker(made):
    made.write(
        "/etc/nginx/nginx.conf",
        "worker_processes 2;\nevents {\n  worker_connections 64; # few\n}\nhttp { server { listen 80; } }",
    )
    (cap,) = [each for each in made.entries(MASTER) if each.resource]

    assert cap.value == 2 * (64 - 2)
    assert cap.source == (
        "/etc/nginx/nginx.conf:3: worker_connections 64 (2 workers, less 2 of a worker's own)"
    )


def test_a_client_that_is_passed_on_takes_two(made):
    made.write(
        "/etc/nginx/nginx.conf",
        "events { worker_connections 65; } http { server { location / { proxy_pass http://a; } } }",
    )

    assert made.caps(MASTER) == [(31, ())]


def test_without_a_setting_the_default_counts(made):
    made.write("/etc/nginx/nginx.conf", "http { server { listen 80; } }")

    assert made.caps(MASTER) == [(510, ())]


def test_each_port_has_the_cost_of_its_own_servers(made):
    made.write(
        "/etc/nginx/nginx.conf",
        """events { worker_connections 100; }
        http { server { listen 8080; return 200; }
               server { listen 127.0.0.1:9090; listen [::1]:9091 ssl; location / { proxy_pass http://a; } } }""",
    )

    assert sorted(made.caps(MASTER)) == [(48, (9090, 9091)), (96, (8080,))]


def test_a_port_that_both_kinds_of_servers_share_has_the_higher_cost(made):
    made.write(
        "/etc/nginx/nginx.conf",
        "http { server { listen 80; } server { listen 80; location / { grpc_pass a; } } }",
    )

    assert made.caps(MASTER) == [((512 - 2) // 2, (80,))]


def test_includes_are_followed_with_their_patterns(made):
    made.write("/etc/nginx/nginx.conf", "include events/*.conf; include missing/*.conf;")
    made.write("/etc/nginx/events/b.conf", "events {\n\nworker_connections 30; }")
    made.write("/etc/nginx/events/.hidden.conf", "events { worker_connections 3; }")
    (cap,) = [each for each in made.entries(MASTER) if each.resource]

    assert cap.value == 28
    assert cap.source.startswith("/etc/nginx/events/b.conf:3: worker_connections 30")


def test_a_file_that_includes_itself_is_unknown(made):
    made.write("/etc/nginx/nginx.conf", "include nginx.conf;")

    assert "more than 16 deep" in made.unknown(MASTER).reason


def test_what_is_no_number_is_unknown_and_not_shown(made):
    made.write("/etc/nginx/nginx.conf", "events {\n worker_connections {{ secret }};\n}")
    unknown = made.unknown(MASTER)

    assert unknown.source.startswith("/etc/nginx/nginx.conf")
    assert "secret" not in f"{unknown}"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("events { worker_connections $many; }", "no plain number"),
        ("events { worker_connections 1;", "ends within a block"),
        ("} events {", "a block ends that never began"),
        ("events { a }", "} where it cannot stand"),
        ("worker_connections 5", "ends within a directive"),
        ("a {" * 40 + "}" * 40, "blocks more than 16 deep"),
    ],
)
def test_what_cannot_be_parsed_says_where(made, text, reason):
    made.write("/etc/nginx/nginx.conf", text)
    unknown = made.unknown(MASTER)

    assert reason in unknown.reason
    assert unknown.source.startswith("/etc/nginx/nginx.conf")


def test_the_workers_that_live_count_and_not_those_that_were_asked_for(made):
    made.write(
        "/etc/nginx/nginx.conf",
        "worker_processes auto; events { worker_connections 12; } http { server { listen 80; } }",
    )

    assert made.caps(MASTER, workers=3, listening=2) == [(27, ())]


def test_clients_that_are_dealt_out_by_chance_are_said_to_be(made):
    made.write(
        "/etc/nginx/nginx.conf", "worker_processes 2; http { server { listen 80 reuseport; } }"
    )
    (cap,) = [each for each in made.entries(MASTER) if each.resource]

    assert cap.source.endswith(
        "less 2 of a worker's own, at best as reuseport deals clients out by chance)"
    )


def test_a_block_of_lua_hides_nothing_that_follows(made):
    made.write(
        "/etc/nginx/nginx.conf",
        """http { server { content_by_lua_block { if x then y = { "}" : 1 } end } listen 81; } }
        events { worker_connections 20; }""",
    )

    assert made.caps(MASTER) == [(18, ())]


def test_upstreams_with_a_cap_each_are_a_cap_of_their_servers(made):
    made.write(
        "/etc/nginx/nginx.conf",
        """http {
        upstream a { zone a 64k; server 10.0.0.1:80 max_conns=7; server 10.0.0.2:80 max_conns=5; }
        upstream b { server 10.0.0.1:80 max_conns=7; server 10.0.0.3:80; }
        server { listen 81; location / { proxy_pass http://a; } }
        server { listen 82; location / { proxy_pass http://b/path; } } }""",
    )

    assert (12, (81,)) in made.caps(MASTER)
    assert {(), (81,)} == {ports for _, ports in made.caps(MASTER)}


def test_a_limit_for_each_address_caps_no_target(made):
    made.write(
        "/etc/nginx/nginx.conf",
        "http { limit_conn_zone $binary_remote_addr zone=one:1m; server { limit_conn one 5; } }",
    )
    entries = {entry.name: entry for entry in made.entries(MASTER)}

    assert entries["limit_conn for each $binary_remote_addr"].value == 5
    assert entries["limit_conn for each $binary_remote_addr"].resource is None


@pytest.mark.parametrize(
    ("listen", "port"),
    [
        ("8080", {8080}),
        ("127.0.0.1:81", {81}),
        ("[::]:82", {82}),
        ("[::1]", {80}),
        ("localhost", {80}),
        ("unix:/run/x", set()),
    ],
)
def test_the_port_of_a_listen_directive(listen, port):
    listens = Directive(name="listen", words=(listen,), where="x:1")

    assert ports_of(Directive(name="server", words=(), where="x:1", block=[listens])) == port


def test_a_configuration_that_is_newer_than_the_process_says_so(made):
    made.write("/etc/nginx/nginx.conf", "events { worker_connections 20; }")
    (cap,) = [each for each in made.entries(MASTER, started_at=5.0) if each.resource]

    assert "changed after the process started" in cap.source


@pytest.fixture
def start_nginx(start_server, free_port, tmp_path):
    def start(*, slots, workers=1, http="", upstream):
        port = free_port()
        (tmp_path / "nginx.conf").write_text(
            CONFIGURATION.format(
                slots=slots,
                workers=workers,
                http=http,
                upstream=upstream,
                port=port,
                folder=tmp_path,
            )
        )
        return start_server("nginx", "-c", tmp_path / "nginx.conf", port=port)

    return start


@pytest.mark.parametrize(("slots", "workers"), [(40, 1), (101, 1), (62, 3)])
def test_a_real_proxy_holds_what_was_read(start_nginx, backend, fill, wait_until, slots, workers):
    nginx = start_nginx(slots=slots, workers=workers, upstream=f"127.0.0.1:{backend}")
    wait_until(lambda: f"({workers} worker" in nginx.cap().source)
    held = fill(nginx.port)

    assert nginx.cap().state is LimitState.KNOWN
    assert nginx.cap().value == (slots - 2) // 2 * workers
    # Of several workers the one that is full may be offered the last clients.
    assert nginx.cap().value - (workers - 1) <= held <= nginx.cap().value


def test_a_real_upstream_admits_what_was_read(start_nginx, backend, fill):
    upstream = f"upstream one {{ zone one 64k; server 127.0.0.1:{backend} max_conns=9; }}"
    nginx = start_nginx(slots=200, http=upstream, upstream="one")

    assert fill(nginx.port) == nginx.cap().value == 9


@pytest.mark.parametrize(("word", "port"), [("65535", 65535), ("123456", 80)])
def test_a_port_has_five_digits_at_most(word, port):
    listens = Directive(name="listen", words=(word,), where="x:1", block=[])

    assert ports_of(Directive(name="server", words=(), where="x:1", block=[listens])) == {port}


@pytest.mark.parametrize(
    ("workers", "total", "said"), [(1, 5, ""), (2, 10, "in each of 2 workers")]
)
def test_a_cap_that_workers_do_not_share_is_each_ones_own(made, workers, total, said):
    made.write(
        "/etc/nginx/nginx.conf",
        f"worker_processes {workers}; events {{ worker_connections 999; }} http {{ upstream a {{"
        " server 10.0.0.1 max_conns=5; } server { listen 80; location / { proxy_pass http://a; } } }",
    )
    (cap,) = [each for each in made.entries(MASTER) if "max_conns" in each.source]

    assert cap.value == total
    assert said in cap.source
    assert bool(said) is ("in each of" in cap.source)
