"""Faye's WebSocket below Puma, on Ruby, which becomes this process."""

import json
import os
from pathlib import Path

from beside import free_port, ready_when_open
from venue import arguments

options = arguments()
port = free_port(options.host)
ready_when_open(options.host, port)
said = {name: getattr(options, name) for name in ("rate_per_s", "payload_bytes", "state_bytes")}
os.environ["SAID"] = json.dumps(said)
bind = ("-b", f"tcp://{options.host}:{port}?backlog=2048")
rackup = str(Path(__file__).with_name("puma_server.ru"))
os.execvp("puma", ["puma", "-q", *bind, "-t", "1:5", "-e", "production", rackup])
