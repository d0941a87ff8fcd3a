"""Jetty's WebSocket, compiled here; the virtual machine becomes this process."""

import os
import sys
from pathlib import Path

from built import built, quietly
from venue import arguments

PARTS = ("http", "io", "server", "servlet", "util", "xml")
SOCKETS = ("api", "client", "common", "server", "servlet")
JARS = (
    "/usr/share/java/servlet-api.jar",
    *(f"/usr/share/java/jetty9-{name}.jar" for name in PARTS),
    *(f"/usr/share/java/jetty9-websocket-{name}.jar" for name in SOCKETS),
)


def compiled(source, folder):
    quietly("javac", "-nowarn", "-cp", ":".join(JARS), "-d", folder, source)


if __name__ == "__main__":
    options = arguments()
    folder = built(Path(__file__).with_name("JettyServer.java"), compiled)
    if options.build:
        sys.exit()
    machine = ["-XX:+ExitOnOutOfMemoryError", "-Dorg.eclipse.jetty.LEVEL=WARN"]
    machine += [f"-Xmx{options.heap_mib}m"] if options.heap_mib else []
    said = (options.host, options.rate_per_s, options.payload_bytes, options.state_bytes)
    command = ["java", *machine, "-cp", f"{folder}:{':'.join(JARS)}", "JettyServer"]
    os.execvp("java", [*command, *map(str, said)])
