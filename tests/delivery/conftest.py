"""A mail server of one's own, in a process of its own: asyncio does not run where gevent has patched."""

import email.policy
import mailbox
import os
import socket
import subprocess
import sys
import time

import pytest

START_S = 60


class MailHost:
    def __init__(self, folder, port, options):
        self.folder, self.port = folder, port
        self.process = subprocess.Popen(
            [sys.executable, "-m", "aiosmtpd", "--nosetuid", "--listen", f"127.0.0.1:{port}",
             *options, "--class", "aiosmtpd.handlers.Mailbox", str(folder)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, "PYTHONWARNINGS": "ignore"},
        )  # fmt: skip
        deadline_s = time.monotonic() + START_S
        while not self._answers():
            assert self.process.poll() is None, "the mail server ended"
            assert time.monotonic() < deadline_s, "the mail server does not answer"
            time.sleep(0.05)

    def _answers(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5) as line:
                return line.recv(3) == b"220"
        except OSError:
            return False

    def mails(self):
        box = mailbox.Maildir(self.folder, create=False)
        return [
            email.message_from_bytes(box.get_bytes(key), policy=email.policy.default)
            for key in sorted(box.keys())
        ]


@pytest.fixture
def mail_host(tmp_path):
    hosts = []

    def start(*options):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        hosts.append(MailHost(tmp_path / "mails", port, options))
        return hosts[-1]

    yield start
    for host in hosts:
        host.process.kill()
        host.process.wait()
