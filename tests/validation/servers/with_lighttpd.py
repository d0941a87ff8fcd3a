"""lighttpd as a proxy before the synthetic server; it becomes this process."""

import os
import sys
import tempfile
from pathlib import Path

from beside import free_port, ready_when_open, start_beside
from venue import arguments

CONFIGURATION = """
server.document-root = "{directory}"
server.bind = "{host}"
server.port = {port}
server.errorlog = "{directory}/error.log"
server.modules = ("mod_proxy")
server.max-fds = 19000
server.listen-backlog = 2048
server.max-keep-alive-idle = 3600
server.max-keep-alive-requests = 1000000
{most}
proxy.server = ("" => (("host" => "127.0.0.1", "port" => {upstream})))
proxy.header = ("upgrade" => "enable")
"""

options = arguments()
directory = tempfile.mkdtemp(prefix="lighttpd-")
upstream, port = free_port("127.0.0.1"), free_port(options.host)
most = f"server.max-connections = {options.max_connections}" if options.max_connections else ""
config = Path(directory, "lighttpd.conf")
config.write_text(
    CONFIGURATION.format(
        directory=directory, host=options.host, port=port, upstream=upstream, most=most
    )
)
start_beside(
    [
        *(sys.executable, str(Path(__file__).with_name("synthetic.py")), "--quiet"),
        *("--host", "127.0.0.1", "--port", str(upstream)),
        *("--rate-per-s", str(options.rate_per_s)),
    ]
)
ready_when_open(options.host, port)
os.execvp("lighttpd", ["lighttpd", "-D", "-f", str(config)])
