"""A real nginx, filled until it refuses."""

import pytest

from capacity.domain.resources import LimitState

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
    # Of several workers the one that is full may be offered many clients in a row.
    held = fill(nginx.port, refusals=2 if workers == 1 else 10)

    assert nginx.cap().state is LimitState.KNOWN
    assert nginx.cap().value == (slots - 2) // 2 * workers
    assert nginx.cap().value - (workers - 1) <= held <= nginx.cap().value


def test_a_real_upstream_admits_what_was_read(start_nginx, backend, fill):
    upstream = f"upstream one {{ zone one 64k; server 127.0.0.1:{backend} max_conns=9; }}"
    nginx = start_nginx(slots=200, http=upstream, upstream="one")

    assert fill(nginx.port) == nginx.cap().value == 9
