"""What an audit of fifty servers with their configurations costs, at first and with every reading of the limits after.

`python tests/benchmarks/application_limits.py` prints it. The processes show the words of all servers
that have a reader, each in turn, and have a configuration of their own: of a hundred sections where its
kind of file has sections.
"""

import subprocess
import sys
import tempfile
import time
from itertools import cycle, islice
from pathlib import Path

from capacity.monitor.host.target import TargetView, read_stat
from capacity.monitor.limits.applications.applications import Applications
from capacity.monitor.limits.audit import audit

PROCESSES, SECTIONS = 50, 100
DISGUISED = """
import ctypes, sys, time
fields = open("/proc/self/stat").read().rpartition(")")[2].split()
begin, end = int(fields[45]), int(fields[46])
words = sys.stdin.readline().strip().replace("|", "\\0").encode()
ctypes.memmove(begin, words.ljust(end - begin, b"\\0"), end - begin)
print("ready", flush=True)
time.sleep(3600)
"""
ENVOY = """\
- name: l{0}
  address: {{socket_address: {{address: 127.0.0.1, port_value: {port}}}}}
  filter_chains:
  - filters:
    - name: envoy.filters.network.tcp_proxy
      typed_config:
        "@type": type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy
        cluster: c0
"""
KINDS = {
    "nginx: master process /usr/sbin/nginx -c {path}": (
        "events {{ worker_connections 1024; }} http {{\n{}}}\n",
        "server {{ listen {port}; location / {{ proxy_pass http://127.0.0.1:{port}; }} }}\n",
    ),
    "haproxy|-f|{path}": (
        "{}",
        "frontend f{0}\n bind :{port}\n maxconn {port}\n default_backend b\n",
    ),
    "envoy|-c|{path}": (
        "static_resources:\n  clusters: [{{name: c0}}]\n  listeners:\n{}",
        "".join(f"  {line}\n" for line in ENVOY.splitlines()),
    ),
    "traefik|--providers.file.filename={path}.yaml": (
        "http:\n  middlewares: {{few: {{inFlightReq: {{amount: 5}}}}}}\n  routers:\n{}",
        "    r{0}:\n      rule: Host(`h{0}`)\n      middlewares: [few]\n      service: s\n",
    ),
    "caddy|run|--config|{path}|--adapter|caddyfile": (
        "{}",
        "http://:{port} {{\n reverse_proxy a b {{\n  unhealthy_request_count 9\n }}\n}}\n",
    ),
    "lighttpd|-f|{path}": (
        "server.max-connections = 9\n{}",
        '$HTTP["host"] == "h{0}" {{\n}}\n',
    ),
    "apache2|-f|{path}": (
        "MaxRequestWorkers 100\n{}",
        "<VirtualHost *:{port}>\nServerName h{0}\n</VirtualHost>\n",
    ),
    "redis-server|{path}": ("maxclients 50\n{}", "save {0} 1\n"),
    "nats-server|-c|{path}": ("max_connections: 50\n{}", "a{0} {{ b: {0} }}\n"),
    "mosquitto|-c|{path}": ("{}", "listener {port}\nmax_connections {port}\n"),
    "pgbouncer|{path}": ("[pgbouncer]\nmax_client_conn = 50\n[databases]\n{}", "d{0} = host=a\n"),
    "mariadbd|--defaults-file={path}": (
        "[mysqld]\nmax_connections = 50\n{}",
        "[client{0}]\na = 1\n",
    ),
    "ngircd|-f|{path}": ("[Limits]\nMaxConnections = 50\n{}", "[Server]\nName = s{0}\n"),
    "vsftpd|{path}": ("max_clients=50\n{}", "a{0}=b\n"),
    "tinyproxy|-c|{path}": ("MaxClients 50\n{}", "Allow 127.0.0.{0}\n"),
    "memcached|-c|50": ("", ""),
    "websocketd|--maxforks=5|cat": ("", ""),
    "python3|-m|uvicorn|a:b|--limit-concurrency|5": ("", ""),
    "python3|-m|granian|a:b": ("", ""),
    "python3|-m|gunicorn|a:b|-c|{path}": ("workers = 5\n{}", "a{0} = 1\n"),
    "beam.smp|+Q|1024|-progname|erl": ("", ""),
    "java|-Dserver.tomcat.max-connections=50|-jar|a.jar": ("", ""),
}
"""Words, parted by |; the configuration, and a section of it."""


def main() -> None:
    processes: list[subprocess.Popen[str]] = []
    with tempfile.TemporaryDirectory() as folder:
        try:
            for number, kind in enumerate(islice(cycle(KINDS), PROCESSES)):
                processes.append(start(Path(folder) / f"{number}.conf", kind, *KINDS[kind]))
            measure([process.pid for process in processes])
        finally:
            for process in processes:
                process.kill()
                process.wait()


def measure(pids: list[int]) -> None:
    stats = {pid: stat for pid in pids if (stat := read_stat(pid)) is not None}
    view = TargetView(name="fifty", started_at=1.0, stats=stats)
    applications = Applications()
    for what in ("first", "again", "again"):
        wall_s, cpu_s = time.perf_counter(), time.thread_time()
        limits = applications.limits(view)
        entries = audit(view, (), applications.entries)
        wall_s, cpu_s = time.perf_counter() - wall_s, time.thread_time() - cpu_s
        unknown = [limit.reason for limit in limits if limit.reason]
        print(
            f"{what}: {len(pids)} processes of {len(KINDS)} kinds, {len(entries)} entries,"
            f" {len(limits)} limits, {len(unknown)} of them unknown:"
            f" {wall_s * 1e3:.1f} ms, {cpu_s * 1e3:.1f} ms of processor time"
        )


def start(path: Path, words: str, text: str, section: str) -> subprocess.Popen[str]:
    """Start a process that shows *words*, of which {path} is a file of its own."""
    sections = "".join(section.format(each, port=8000 + each) for each in range(SECTIONS))
    for place in (path, path.with_name(f"{path.name}.yaml")):
        place.write_text(text.format(sections))
    process = subprocess.Popen(
        [sys.executable, "-ISc", DISGUISED, "x" * 200],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    if process.stdin is not None and process.stdout is not None:
        process.stdin.write(words.replace("{path}", str(path)) + "\n")
        process.stdin.flush()
        process.stdout.readline()
    return process


if __name__ == "__main__":
    main()
