"""PHP that waits with stream_select, as ReactPHP does without an extension; it becomes this process."""

import json
import os
from pathlib import Path

from beside import free_port, ready_when_open
from venue import arguments

options = arguments()
port = free_port(options.host)
ready_when_open(options.host, port)
names = ("host", "rate_per_s", "payload_bytes", "state_bytes")
said = {"port": port, **{name: getattr(options, name) for name in names}}
limit = f"memory_limit={f'{options.heap_mib}M' if options.heap_mib else -1}"
program = str(Path(__file__).with_name("php_server.php"))
os.execvp("php", ["php", "-d", limit, program, json.dumps(said)])
