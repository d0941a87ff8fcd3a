"""Gorilla's websocket package on Go, compiled here; the server becomes this process."""

import os
import sys
from pathlib import Path

from built import built, quietly
from venue import arguments


def compiled(source, folder):
    environment = {
        **os.environ,
        "GO111MODULE": "off",
        "GOPATH": "/usr/share/gocode",
        "GOCACHE": str(folder / "cache"),
        "GOFLAGS": "-p=1",
    }
    quietly("go", "build", "-o", folder / "server", source, env=environment)
    quietly("rm", "-rf", folder / "cache")


if __name__ == "__main__":
    options = arguments()
    program = built(Path(__file__).with_name("go_server.go"), compiled) / "server"
    if options.build:
        sys.exit()
    names = ("host", "rate_per_s", "payload_bytes", "state_bytes", "table_bytes", "book_levels")
    said = [f"--{name.replace('_', '-')}={getattr(options, name)}" for name in names]
    os.execv(program, [str(program), *said])
