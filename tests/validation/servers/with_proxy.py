"""A proxy in front of the synthetic server: nginx, HAProxy or Caddy, which becomes this process."""

import os
import sys
import tempfile
from pathlib import Path

from beside import free_port, ready_when_open, start_beside

NGINX = """
daemon off; user root root; worker_processes 1;
pid {directory}/nginx.pid; error_log {directory}/error.log;
events {{ worker_connections {connections}; }}
http {{
    access_log off; {temporary}
    server {{
        listen {host}:{port} backlog=2048;
        location / {{
            proxy_pass http://127.0.0.1:{upstream};
            proxy_http_version 1.1;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection upgrade;
            proxy_read_timeout 1h;
        }}
    }}
}}
"""
HAPROXY = """
global
    nbthread 1
    {most}
defaults
    mode http
    timeout connect 5s
    timeout client 1h
    timeout server 1h
    timeout tunnel 1h
frontend clients
    bind {host}:{port} backlog 2048
    {most}
    default_backend venue
backend venue
    server one 127.0.0.1:{upstream}
"""
CADDY = """
{{
    admin off
    auto_https off
    storage file_system {directory}
}}
http://:{port} {{
    bind {host}
    reverse_proxy 127.0.0.1:{upstream}
}}
"""
CONFIGS = {"nginx": NGINX, "haproxy": HAPROXY, "caddy": CADDY}
COMMANDS = {
    "nginx": ("nginx", "-p", "{directory}", "-c", "{config}"),
    "haproxy": ("haproxy", "-db", "-f", "{config}"),
    "caddy": ("caddy", "run", "--adapter", "caddyfile", "--config", "{config}"),
}


def option(name, default=""):
    return sys.argv[sys.argv.index(name) + 1] if name in sys.argv else default


host, most = option("--host"), option("--max-connections")
directory = tempfile.mkdtemp(prefix="proxy-")
upstream, port = free_port("127.0.0.1"), free_port(host)
proxy = option("--proxy")
temporary = " ".join(
    f"{kind}_temp_path {directory}/{kind};"
    for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
)
config = Path(directory, "proxy.conf")
config.write_text(
    CONFIGS[proxy].format(
        directory=directory,
        host=host,
        port=port,
        upstream=upstream,
        temporary=temporary,
        connections=most or "40000",
        most=f"maxconn {most}" if most else "",
    )
)
start_beside(
    [
        *(sys.executable, str(Path(__file__).with_name("synthetic.py")), "--quiet"),
        *("--host", "127.0.0.1", "--port", str(upstream)),
    ]
)
ready_when_open(host, port)
command = [word.format(directory=directory, config=config) for word in COMMANDS[proxy]]
os.execvp(command[0], command)
