"""Cowboy on Erlang, as RabbitMQ brings it along, compiled here; the machine becomes this process."""

import os
import sys
from pathlib import Path

from beside import free_port, ready_when_open
from built import built, quietly
from venue import arguments

LIBRARIES = ("cowboy", "cowlib", "ranch")


def compiled(source, folder):
    quietly("erlc", "-o", folder, source)


if __name__ == "__main__":
    options = arguments()
    folder = built(Path(__file__).with_name("cowboy_server.erl"), compiled)
    if options.build:
        sys.exit()
    plugins = Path("/usr/lib/rabbitmq/lib")
    paths = [folder, *(p for name in LIBRARIES for p in plugins.glob(f"*/plugins/{name}-*/ebin"))]
    port = free_port(options.host)
    ready_when_open(options.host, port)
    said = (options.host, port, options.rate_per_s, options.payload_bytes, options.state_bytes)
    machine = ["erl", "-noshell", "-noinput", *(word for path in paths for word in ("-pa", path))]
    command = [*machine, "-s", "cowboy_server", "start", "-extra", *said]
    os.execvp("erl", [str(word) for word in command])
