"""RabbitMQ with STOMP or MQTT over WebSocket, whose machine becomes this process, as below systemd.

A publisher feeds it over plain STOMP: /topic/updates, or md.updates, which MQTT calls md/updates.
"""

import os
import secrets
import tempfile
from pathlib import Path

from beside import free_port, publish_beside, ready_when_open, start_beside
from venue import arguments

SCRIPT = "/usr/lib/rabbitmq/bin/rabbitmq-server"
TOPICS = {"stomp": "/topic/updates", "mqtt": "/topic/md.updates"}
PATHS = {"stomp": "/ws", "mqtt": "/mqtt"}


def configuration(options, port, plain):
    web = f"web_{options.protocol}"
    lines = [
        f"listeners.tcp.1 = 127.0.0.1:{free_port('127.0.0.1')}",
        f"stomp.listeners.tcp.1 = 127.0.0.1:{plain}",
        f"{web}.tcp.ip = {options.host}",
        f"{web}.tcp.port = {port}",
        f"{web}.ws_path = {PATHS[options.protocol]}",
        "default_user = guest",
        "default_pass = guest",
        "loopback_users = none",
        "stomp.default_user = guest",
        "stomp.default_pass = guest",
        "log.file = false",
    ]
    if options.protocol == "mqtt":
        lines.append(f"mqtt.listeners.tcp.1 = 127.0.0.1:{free_port('127.0.0.1')}")
    if options.max_connections:
        lines.append(f"{web}.max_connections = {options.max_connections}")
    if options.watermark_mib:
        lines.append(f"vm_memory_high_watermark.absolute = {options.watermark_mib}MiB")
    return "\n".join(lines) + "\n"


options = arguments()
folder = Path(tempfile.mkdtemp(prefix="rabbitmq-"))
port, plain, mapper = (free_port(host) for host in (options.host, *["127.0.0.1"] * 2))
(folder / "rabbit.conf").write_text(configuration(options, port, plain))
(folder / "plugins").write_text(f"[rabbitmq_stomp,rabbitmq_web_{options.protocol}].")
(folder / ".erlang.cookie").write_text(secrets.token_hex(10))
(folder / ".erlang.cookie").chmod(0o400)
start_beside(["epmd", "-port", str(mapper), "-address", "127.0.0.1"])
topic = TOPICS[options.protocol]
publish_beside("stomp", "127.0.0.1", plain, topic, options.rate_per_s)
ready_when_open(options.host, port)
environment = {
    "HOME": str(folder),
    "ERL_EPMD_PORT": str(mapper),
    "ERL_EPMD_ADDRESS": "127.0.0.1",
    "RABBITMQ_NODENAME": f"validation{port}@localhost",
    "RABBITMQ_CONFIG_FILE": str(folder / "rabbit"),
    "RABBITMQ_MNESIA_BASE": str(folder),
    "RABBITMQ_LOG_BASE": str(folder),
    "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
    "RABBITMQ_PID_FILE": str(folder / "pid"),
    "RABBITMQ_DIST_PORT": str(free_port("127.0.0.1")),
    # As below systemd: otherwise a shell stays in front of the machine.
    "NOTIFY_SOCKET": str(folder / "nobody"),
}
os.execvpe("sh", ["sh", SCRIPT], {**os.environ, **environment})
