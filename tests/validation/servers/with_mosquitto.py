"""mosquitto over WebSocket, which becomes this process; a publisher feeds it over plain MQTT."""

import os
import tempfile
from pathlib import Path

from beside import free_port, publish_beside, ready_when_open
from venue import arguments

options = arguments()
port, plain = free_port(options.host), free_port("127.0.0.1")
most = f"max_connections {options.max_connections}\n" if options.max_connections else ""
config = Path(tempfile.mkdtemp(prefix="mosquitto-"), "mosquitto.conf")
config.write_text(
    "user root\nallow_anonymous true\nlog_type none\npersistence false\n"
    f"listener {port} {options.host}\nprotocol websockets\n{most}"
    f"listener {plain} 127.0.0.1\n"
)
publish_beside("mqtt", "127.0.0.1", plain, "md/updates", options.rate_per_s)
ready_when_open(options.host, port)
os.execvp("mosquitto", ["mosquitto", "-c", str(config)])
