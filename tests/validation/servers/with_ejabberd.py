"""ejabberd with XMPP over WebSocket, whose machine becomes this process; a member of its room publishes.

The words are those of ejabberdctl, without the shells and the su that it leaves in front.
"""

import os
import secrets
import tempfile
from pathlib import Path

from beside import free_port, publish_beside, ready_when_open, start_beside
from venue import arguments

LIBRARIES = "/usr/lib/x86_64-linux-gnu"
CONFIG = """
loglevel: error
hosts: [localhost]
auth_method: [anonymous]
anonymous_protocol: sasl_anon
allow_multiple_connections: true
listen:
  - port: {port}
    ip: "{host}"
    module: ejabberd_http
    backlog: 2048
    request_handlers: {{"/ws": ejabberd_http_ws}}
websocket_ping_interval: 60
modules:
  mod_muc:
    host: conference.localhost
    max_users: 100000
    max_user_conferences: 1000
    history_size: 0
    default_room_options: {{presence_broadcast: [], max_users: 100000}}
"""

options = arguments()
port, mapper = free_port(options.host), free_port("127.0.0.1")
folder = Path(tempfile.mkdtemp(prefix="ejabberd-"))
(folder / "ejabberd.yml").write_text(CONFIG.format(host=options.host, port=port))
(folder / ".erlang.cookie").write_text(secrets.token_hex(10))
(folder / ".erlang.cookie").chmod(0o400)
(folder / "inetrc").write_text('{lookup,["file","native"]}.\n')
start_beside(["epmd", "-port", str(mapper), "-address", "127.0.0.1"])
publish_beside("xmpp", options.host, port, "updates@conference.localhost", options.rate_per_s)
ready_when_open(options.host, port)
environment = {
    "HOME": str(folder),
    "EJABBERD_CONFIG_PATH": str(folder / "ejabberd.yml"),
    "EJABBERD_LOG_PATH": str(folder / "ejabberd.log"),
    "EJABBERD_PID_PATH": str(folder / "pid"),
    "ERL_CRASH_DUMP": str(folder / "crash"),
    "ERL_CRASH_DUMP_BYTES": "0",
    "ERL_EPMD_ADDRESS": "127.0.0.1",
    "ERL_EPMD_PORT": str(mapper),
    "ERL_INETRC": str(folder / "inetrc"),
    "ERL_LIBS": LIBRARIES,
    "ERL_MAX_PORTS": str(options.ports or 32_000),
    "ERL_MAX_ETS_TABLES": "1400",
}
words = ["erl", "-sname", f"validation{port}@localhost", "+K", "true", "+P", "250000"]
words += ["-mnesia", "dir", f'"{folder}"', "-s", "ejabberd", "-noinput"]
os.chdir(folder)
os.execvpe("erl", words, {**os.environ, **environment})
