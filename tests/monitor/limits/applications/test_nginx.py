"""nginx's configuration as texts, and real workers filled until they refuse."""

import pytest

from capacity.monitor.limits.applications.directives import Directive
from capacity.monitor.limits.applications.nginx import ports_of

MASTER = "nginx: master process /usr/sbin/nginx -c /etc/nginx/nginx.conf"


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


@pytest.mark.parametrize(
    ("workers", "pass_on", "how"),
    [
        (1, "", "1 worker, less 2 of a worker's own"),
        (
            2,
            "",
            "2 workers, less 2 of a worker's own, at best as reuseport deals clients out by chance",
        ),
        (
            1,
            "location / { proxy_pass http://a; }",
            "1 worker, 2 for each client as it is passed on, less 2 of a worker's own",
        ),
    ],
)
def test_a_cap_says_what_it_is_made_of(made, workers, pass_on, how):
    made.write(
        "/etc/nginx/nginx.conf",
        f"worker_processes {workers}; http {{ server {{ listen 80 reuseport; {pass_on} }} }}",
    )
    (cap,) = [each for each in made.entries(MASTER) if each.resource]

    assert cap.source.endswith(f"({how})")


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


@pytest.mark.parametrize(("word", "port"), [("65535", 65535), ("123456", 80)])
def test_a_port_has_five_digits_at_most(word, port):
    listens = Directive(name="listen", words=(word,), where="x:1", block=[])

    assert ports_of(Directive(name="server", words=(), where="x:1", block=[listens])) == {port}


@pytest.mark.parametrize(
    ("servers", "cap"),
    [
        ("server a max_conns=5; server b backup;", 5),
        ("server a max_conns=5; server b down;", 5),
        ("server a max_conns=5 backup; server b max_conns=3;", 3),
        ("server a max_conns=5 down; server b max_conns=3;", 3),
        ("server a max_conns=0;", None),
        ("server a max_conns=5; server b;", None),
        ("server a backup;", None),
    ],
)
def test_servers_of_an_upstream_that_all_have_a_cap_are_one(made, servers, cap):
    made.write(
        "/etc/nginx/nginx.conf",
        f"http {{ upstream u {{ {servers} }} server {{ listen 81; location / {{ proxy_pass http://u; }} }} }}",
    )
    caps = [value for value, ports in made.caps(MASTER) if ports]

    assert caps == ([] if cap is None else [cap])


def test_a_server_with_several_upstreams_admits_what_they_admit_together(made):
    made.write(
        "/etc/nginx/nginx.conf",
        """http { upstream a { server x max_conns=5; } upstream b { server y max_conns=7; }
        server { listen 81; location / { proxy_pass http://a; } location /b { grpc_pass b; } }
        server { listen 82; location / { proxy_pass http://a; } location /b { proxy_pass http://c; } } }""",
    )

    assert [each for each in made.caps(MASTER) if each[1]] == [(12, (81,))]


def test_a_limit_by_a_key_that_is_nowhere_declared_is_told_all_the_same(made):
    made.write("/etc/nginx/nginx.conf", "http { server { limit_conn one 5; limit_conn off; } }")

    assert ["limit_conn for each a key"] == [
        entry.name for entry in made.entries(MASTER) if entry.name.startswith("limit_conn")
    ]


def test_a_server_that_does_not_say_listens_on_80():
    assert {80} == ports_of(Directive(name="server", words=(), where="x:1"))


@pytest.mark.parametrize(
    ("words", "path"),
    [
        (("nginx",), "/etc/nginx/nginx.conf"),
        (("nginx", "-c", "mine.conf"), "/usr/share/nginx/mine.conf"),
        (("nginx", "-p", "/srv", "-c", "mine.conf"), "/srv/mine.conf"),
        (("openresty",), "/usr/local/openresty/nginx/conf/nginx.conf"),
    ],
)
def test_the_file_is_where_the_command_line_says_or_at_a_usual_place(made, words, path):
    made.write(path, "events { worker_connections 12; } http { server { } }")

    assert made.caps(*words) == [(10, ())]
