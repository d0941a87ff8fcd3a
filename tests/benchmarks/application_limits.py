"""What reading the configurations of fifty servers costs, once and on every beat of the limits after.

`python tests/benchmarks/application_limits.py` prints it. The processes are `tail`, under the names
and with the words of nginx and HAProxy; each has a configuration of a hundred servers of its own.
"""

import subprocess
import tempfile
import time
from pathlib import Path

from capacity.monitor.host.target import TargetView, read_stat
from capacity.monitor.limits.applications.applications import Applications

PROCESSES, SERVERS = 50, 100


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        processes = [
            (start_nginx if number % 2 else start_haproxy)(Path(folder), number)
            for number in range(PROCESSES)
        ]
        try:
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
        wall_s, cpu_s = time.perf_counter() - wall_s, time.thread_time() - cpu_s
        print(
            f"{what}: {len(pids)} processes, {len(applications.entries)} entries, {len(limits)} limits:"
            f" {wall_s * 1e3:.1f} ms, {cpu_s * 1e3:.1f} ms of processor time"
        )


def start_nginx(folder: Path, number: int) -> subprocess.Popen[bytes]:
    path = folder / f"nginx-{number}.conf"
    servers = "".join(
        f"server {{ listen {8000 + each}; location / {{ proxy_pass http://127.0.0.1:{each}; }} }}\n"
        for each in range(SERVERS)
    )
    path.write_text(f"events {{ worker_connections 1024; }}\nhttp {{ {servers} }}\n")
    return start(f"nginx: master process /usr/sbin/nginx -c {path}", "-f", "/dev/null")


def start_haproxy(folder: Path, number: int) -> subprocess.Popen[bytes]:
    path = folder / f"haproxy-{number}.cfg"
    path.write_text(
        "".join(
            f"frontend f{each}\n bind :{8000 + each}\n maxconn {each + 1}\n default_backend b\n"
            for each in range(SERVERS)
        )
    )
    return start("haproxy", "-f", str(path))


def start(*words: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(words, executable="/usr/bin/tail", stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
