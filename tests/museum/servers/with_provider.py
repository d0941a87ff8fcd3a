"""The synthetic server, which becomes this process, behind a provider that is seen only from outside."""

import os
import sys
import tempfile
from pathlib import Path

SERVERS = Path(__file__).parents[2] / "validation" / "servers"
sys.path.insert(0, str(SERVERS))

from beside import free_port, ready_when_open, start_beside

CONFIGURATION = """
global
    maxconn {most}
defaults
    mode http
    timeout connect 5s
    timeout client 1h
    timeout server 1h
    timeout tunnel 1h
frontend clients
    bind {host}:{port} backlog 2048
    default_backend origin
backend origin
    server one 127.0.0.1:{origin}
"""


def option(name):
    return sys.argv[sys.argv.index(name) + 1]


host = option("--host")
origin, front = free_port("127.0.0.1"), free_port(host)
config = Path(tempfile.mkdtemp(prefix="provider-"), "haproxy.conf")
config.write_text(
    CONFIGURATION.format(most=option("--max-connections"), host=host, port=front, origin=origin)
)
start_beside(["haproxy", "-db", "-f", str(config)])
ready_when_open(host, front)
command = [sys.executable, str(SERVERS / "synthetic.py"), "--quiet", "--host", "127.0.0.1"]
os.execv(sys.executable, [*command, "--port", str(origin), "--rate-per-s", option("--rate-per-s")])
