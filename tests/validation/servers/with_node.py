"""The ws library on Node, which becomes this process."""

import json
import os
from pathlib import Path

from venue import arguments

options = arguments()
heap = [f"--max-old-space-size={options.heap_mib}"] if options.heap_mib else []
said = {
    name: getattr(options, name)
    for name in ("host", "rate_per_s", "payload_bytes", "state_bytes", "book_levels", "deflate")
}
program = str(Path(__file__).with_name("node_server.js"))
os.execvp("node", ["node", *heap, program, json.dumps(said)])
