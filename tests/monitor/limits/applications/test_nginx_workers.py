"""How many workers nginx has, and what each of them has for clients."""

import pytest

MASTER = "nginx: master process /usr/sbin/nginx -c /etc/nginx/nginx.conf"


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


def test_a_configuration_that_is_newer_than_the_process_says_so(made):
    made.write("/etc/nginx/nginx.conf", "events { worker_connections 20; }")
    (cap,) = [each for each in made.entries(MASTER, started_at=5.0) if each.resource]

    assert "changed after the process started" in cap.source


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


@pytest.mark.parametrize(
    ("main", "servers", "known", "own"),
    [
        ("", "listen 80;", {}, 2),
        ("master_process off;", "listen 80;", {}, 1),
        ("master_process on;", "listen 80;", {}, 2),
        ("load_module modules/ngx_nchan_module.so;", "listen 80;", {}, 3),
        ("load_module modules/ngx_http_x_module.so;", "listen 80;", {}, 2),
        ("", "listen 80; listen 81;", {}, 3),
        ("", "listen 80; listen 80 default_server;", {}, 2),
        ("", "", {}, 2),
        ("", "listen 80; listen 81;", {"listening": 5}, 6),
        ("", "listen unix:/run/x; listen 443 udp;", {"listening": 1}, 4),
        ("", "listen unix:/run/x; listen 443;", {}, 3),
    ],
)
def test_a_worker_keeps_some_connections_for_itself(made, main, servers, known, own):
    made.write(
        "/etc/nginx/nginx.conf",
        f"{main} events {{ worker_connections 100; }} http {{ server {{ {servers} }} }}",
    )
    (cap,) = [each for each in made.entries(MASTER, **known) if each.resource]

    assert (100 - own) == cap.value
    assert cap.source.endswith(f"(1 worker, less {own} of a worker's own)")


@pytest.mark.parametrize(("slots", "value"), [(1, 0), (2, 0), (3, 1)])
def test_a_worker_that_needs_all_for_itself_has_room_for_nobody(made, slots, value):
    made.write(
        "/etc/nginx/nginx.conf",
        f"events {{ worker_connections {slots}; }} http {{ server {{ listen 80; }} }}",
    )

    assert made.caps(MASTER) == [(value, ())]


@pytest.mark.parametrize(
    ("processes", "cpus", "workers"),
    [("auto", 4, 4), ("auto", None, 1), ("3", 4, 3), ("0", 4, 1), ("1", 4, 1)],
)
def test_there_are_as_many_workers_as_asked_for_or_processors(
    made, monkeypatch, processes, cpus, workers
):
    monkeypatch.setattr("os.cpu_count", lambda: cpus)
    made.write(
        "/etc/nginx/nginx.conf",
        f"worker_processes {processes}; events {{ worker_connections 12; }} http {{ server {{ }} }}",
    )

    assert made.caps(MASTER) == [(10 * workers, ())]


def test_descriptors_that_are_asked_for_are_told(made):
    made.write("/etc/nginx/nginx.conf", "worker_rlimit_nofile 90; http { server { } }")
    told = {entry.name: entry for entry in made.entries(MASTER)}["worker_rlimit_nofile"]

    assert (told.value, told.unit, told.resource) == (90.0, "descriptors", None)
