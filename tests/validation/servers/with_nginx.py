"""nginx with nchan, which becomes this process; a publisher feeds it from beside."""

import http.client
import itertools
import json
import os
import sys
import tempfile
import time
from pathlib import Path

from beside import free_port, ready_when_open, start_beside
from venue import arguments

MODULES = (Path("/usr/share/nginx/modules"), Path("/usr/lib/nginx/modules"))


def publish(host, port, rate_per_s):
    """Publish {"ch", "ts", "seq"} for ever, over one connection."""
    connection = http.client.HTTPConnection(host, port, timeout=2)
    due_s = time.monotonic()
    for seq in itertools.count(1):
        update = {"ch": "updates", "ts": time.time() * 1000, "seq": seq}
        try:
            connection.request("POST", "/pub/updates", json.dumps(update))
            connection.getresponse().read()
        except (OSError, http.client.HTTPException):
            connection.close()  # nginx is not there yet, or closed it to make room.
        due_s += 1.0 / rate_per_s
        time.sleep(max(0.0, due_s - time.monotonic()))


def configuration(directory, host, port, worker_connections):
    module = next(path / "ngx_nchan_module.so" for path in MODULES if path.exists())
    temporary = " ".join(
        f"{kind}_temp_path {directory}/{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return f"""
load_module {module};
daemon off; user root root; worker_processes 1;
pid {directory}/nginx.pid; error_log {directory}/error.log;
events {{ worker_connections {worker_connections}; }}
http {{
    access_log off; {temporary}
    server {{
        listen {host}:{port} backlog=2048;
        nchan_subscriber_first_message newest;
        location ~ ^/sub/(.+)$ {{ nchan_subscriber websocket; nchan_channel_id $1; }}
        location ~ ^/pub/(.+)$ {{ nchan_publisher; nchan_channel_id $1; }}
    }}
}}
"""


if __name__ == "__main__":
    if sys.argv[1] == "publish":
        publish(sys.argv[2], int(sys.argv[3]), float(sys.argv[4]))
    options = arguments()
    port = free_port(options.host)
    directory = tempfile.mkdtemp(prefix="nginx-")
    config = Path(directory, "nginx.conf")
    config.write_text(
        configuration(directory, options.host, port, options.max_connections or 19_000)
    )
    start_beside(
        [sys.executable, __file__, "publish", options.host, str(port), str(options.rate_per_s)]
    )
    ready_when_open(options.host, port)
    os.execvp("nginx", ["nginx", "-p", directory, "-c", str(config)])
