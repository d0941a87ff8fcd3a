"""An agent that pushes, and who receives it."""

import json
import runpy
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from capacity.monitor.notes import Notes
from capacity.monitor.serving.push import Pusher
from capacity.monitor.serving.store import SampleRing

AGENT = runpy.run_path(str(Path(__file__).parents[2] / "agent_samples.py"))
INFO = AGENT["agent_info"]()


def sample(seq):
    return AGENT["sample_of"](seq, target_started_at=None)


class Receiver:
    """Takes pushes as the contract says; `rude` answers that come first are given as they are."""

    def __init__(self, port=0, tls=None):
        self.rude = []
        self.infos, self.seqs, self.posts = [], [], []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.posts.append((self.path, dict(self.headers), body))
                status, answer = receiver.taken(self.path, body)
                if status is None:
                    self.close_connection = True
                    return
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        if tls is not None:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_port
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True)
        self.thread.start()

    def taken(self, path, body):
        if path.endswith("/v1/info"):
            self.infos.append(json.loads(body))
        elif self.rude:
            return self.rude.pop(0)
        else:
            self.seqs += [json.loads(line)["seq"] for line in body.splitlines()]
        return 200, json.dumps({"next": max(self.seqs, default=0) + 1}).encode()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def receive():
    receivers = []

    def start(*arguments, **options):
        receivers.append(Receiver(*arguments, **options))
        return receivers[-1]

    yield start
    for receiver in receivers:
        receiver.close()


def ring_of(count, keep=1000):
    ring = SampleRing(keep)
    for seq in range(1, count + 1):
        ring.add(sample(seq))
    return ring


@pytest.fixture
def pusher(receive):
    """A pusher that nothing is pushed with but what a test asks for, and its receiver."""

    def make(ring=None):
        receiver = receive()
        url = f"http://127.0.0.1:{receiver.port}"
        return Pusher(url, ring or ring_of(3), lambda: INFO, Notes()), receiver

    return make
