"""Tomcat's WebSocket, compiled here; the virtual machine becomes this process."""

import os
import sys
import tempfile
from pathlib import Path

from built import built, quietly
from venue import arguments

JARS = (
    *(f"/usr/share/java/tomcat10-embed-{name}.jar" for name in ("core", "el", "websocket")),
    "/usr/share/java/tomcat10-annotations-api.jar",
)


def compiled(source, folder):
    quietly("javac", "-nowarn", "-cp", ":".join(JARS), "-d", folder, source)


if __name__ == "__main__":
    options = arguments()
    folder = built(Path(__file__).with_name("TomcatServer.java"), compiled)
    if options.build:
        sys.exit()
    machine = ["-XX:+UseSerialGC", "-Xss256k", "-XX:TieredStopAtLevel=1"]
    machine += [f"-Xmx{options.heap_mib}m"] if options.heap_mib else []
    # A heap that is full ends the process, as its operators are told to have it.
    machine += ["-XX:+ExitOnOutOfMemoryError"]
    base = tempfile.mkdtemp(prefix="tomcat-")
    said = (options.host, options.rate_per_s, options.payload_bytes, options.state_bytes)
    command = ["java", *machine, "-cp", f"{folder}:{':'.join(JARS)}", "TomcatServer"]
    os.execvp("java", [*command, *map(str, said), str(options.max_connections), base])
