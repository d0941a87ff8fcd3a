"""websocketd, which becomes this process, and starts a shell for each connection."""

import os
from pathlib import Path

from beside import free_port, ready_when_open
from venue import arguments

options = arguments()
port = free_port(options.host)
most = [f"--maxforks={options.max_connections}"] if options.max_connections else []
command = ["websocketd", f"--address={options.host}", f"--port={port}", "--loglevel=fatal", *most]
script = str(Path(__file__).with_name("follower.sh"))
ready_when_open(options.host, port)
os.execvp(
    command[0],
    [*command, "bash", script, str(1 / options.rate_per_s), "x" * options.payload_bytes],
)
