"""Starts a server with its planted limit, and an agent beside it; leaves nothing behind."""

import contextlib
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from network import CannotPlantError, namespace, run

HERE = Path(__file__).parent
MODULES = {
    "synthetic": ("synthetic.py",),
    "prefork": ("with_websockets.py",),
    "nginx": ("with_nginx.py",),
    "nginx proxy": ("with_proxy.py", "--proxy", "nginx"),
    "haproxy": ("with_proxy.py", "--proxy", "haproxy"),
    "caddy proxy": ("with_proxy.py", "--proxy", "caddy"),
    "rabbitmq-stomp": ("with_rabbitmq.py", "--protocol", "stomp"),
    "rabbitmq-mqtt": ("with_rabbitmq.py", "--protocol", "mqtt"),
}
NEEDS = {
    "nginx": ("nginx",),
    "nginx proxy": ("nginx",),
    "haproxy": ("haproxy",),
    "lighttpd": ("lighttpd",),
    "websocketd": ("websocketd",),
    "node": ("node", "/usr/share/nodejs/ws"),
    "go": ("go", "/usr/share/gocode/src/github.com/gorilla/websocket"),
    "tomcat": ("javac", "/usr/share/java/tomcat10-embed-core.jar"),
    "jetty": ("javac", "/usr/share/java/jetty9-websocket-server.jar"),
    "caddy proxy": ("caddy",),
    "mosquitto": ("mosquitto",),
    "rabbitmq-stomp": ("/usr/lib/rabbitmq/bin/rabbitmq-server",),
    "rabbitmq-mqtt": ("/usr/lib/rabbitmq/bin/rabbitmq-server",),
    "ejabberd": ("ejabberdctl",),
    "prosody": ("prosody",),
    "php": ("php",),
    "puma": ("puma", "/usr/lib/ruby/vendor_ruby/faye/websocket.rb"),
    "cowboy": ("erlc", "/usr/lib/rabbitmq/bin/rabbitmq-server"),
}
"""Programs and files that a server does not go without."""
START_S = 90.0
COMPILED = frozenset({"go", "tomcat", "jetty", "cowboy"})


@contextlib.contextmanager
def cgroup(controller, name):
    """Make a version 1 cgroup for the length of a block."""
    group = Path(f"/sys/fs/cgroup/{controller}/capacity-validation-{os.getpid()}-{name}")
    try:
        group.mkdir()
    except OSError as error:
        raise CannotPlantError(f"no version 1 cgroup of {controller}: {error.strerror}") from None
    try:
        yield group
    finally:
        deadline_s = time.monotonic() + 5
        while (group / "cgroup.procs").read_text().strip() and time.monotonic() < deadline_s:
            time.sleep(0.05)
        with contextlib.suppress(OSError):
            group.rmdir()


@contextlib.contextmanager
def running(argv, log, ready, prepare=None):
    """Run a process until the block ends; yield it and the word after *ready* on its stderr."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            preexec_fn=prepare,  # noqa: PLW1509
        )
    try:
        deadline_s = time.monotonic() + START_S
        while not (said := re.search(ready + r"(\S+)", log.read_text(errors="replace"))):
            if process.poll() is not None or time.monotonic() > deadline_s:
                raise RuntimeError(f"{argv[-1]} did not start: {log.read_text()[-300:]}")
            time.sleep(0.05)
        yield process, said[1]
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # Its workers as well.
        process.wait()


def certificate_in(folder, host):
    """Return a certificate for an address, made once a folder; its key lies beside it."""
    path = folder / "certificate.pem"
    if not path.exists():
        names = ("-subj", f"/CN={host}", "-addext", f"subjectAltName=IP:{host}")
        keys = ("-newkey", "rsa:2048", "-nodes", "-keyout", folder / "key.pem", "-out", path)
        run("openssl", "req", "-x509", "-days", "2", *map(str, keys), *names)
    return path


def check(case):
    """Raise CannotPlantError where this machine lacks the server, or may not have its limit."""
    for need in NEEDS.get(case.server, ()):
        if not (shutil.which(need) or Path(need).exists()):
            raise CannotPlantError(f"{need} is not installed")
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if case.descriptors > hard:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, case.descriptors))
        except (OSError, ValueError):
            raise CannotPlantError(
                f"a process here may have {hard} descriptors and not {case.descriptors}"
            ) from None


@contextlib.contextmanager
def server(case, folder, name):
    """Run the case's server under its limit; yield its process, host, port and cgroups."""
    check(case)
    module, *rest = MODULES.get(case.server, (f"with_{case.server}.py",))
    program = str(HERE / "servers" / module)
    if case.server in COMPILED:  # Without its limits.
        subprocess.run([sys.executable, program, "--build"], check=True, timeout=120)
    with contextlib.ExitStack() as stack:
        groups, inside, host = [], [], "127.0.0.1"
        if case.needs_namespace:
            space, host = stack.enter_context(namespace(case))
            inside = ["ip", "netns", "exec", space]
        if case.memory_bytes:
            group = stack.enter_context(cgroup("memory", name))
            (group / "memory.limit_in_bytes").write_text(str(case.memory_bytes))
            with contextlib.suppress(OSError):
                (group / "memory.memsw.limit_in_bytes").write_text(str(case.memory_bytes))
            groups.append(group)
        if case.cpu_ratio:
            group = stack.enter_context(cgroup("cpu", name))
            (group / "cpu.cfs_period_us").write_text("100000")
            (group / "cpu.cfs_quota_us").write_text(str(round(case.cpu_ratio * 100_000)))
            groups.append(group)
        if case.tasks:
            group = stack.enter_context(cgroup("pids", name))
            (group / "pids.max").write_text(str(case.tasks))
            groups.append(group)

        def prepare():
            for group in groups:
                (group / "cgroup.procs").write_text(str(os.getpid()))
            resource.setrlimit(resource.RLIMIT_NOFILE, (case.descriptors, case.descriptors))
            if case.address_space_bytes:
                resource.setrlimit(resource.RLIMIT_AS, (case.address_space_bytes,) * 2)

        options = ["--rate-per-s", str(case.updates_per_s), *case.options]
        if case.tls:
            options += ["--certificate", str(certificate_in(folder, host))]
        process, address = stack.enter_context(
            running(
                [
                    *(*inside, sys.executable, program),
                    *(*rest, "--host", host, *options),
                ],
                folder / f"{name}.log",
                "server ready on ",
                prepare,
            )
        )
        yield process, host, int(address.rsplit(":", 1)[1]), groups


@contextlib.contextmanager
def agent(pid, folder):
    """Run an agent beside a process; yield its URL."""
    argv = [sys.executable, "-m", "capacity.monitor", "--pid", str(pid), "--listen", "0"]
    with running(argv, folder / "agent.log", "agent ready on ") as (_process, url):
        yield url
