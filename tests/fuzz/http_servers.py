"""Bad requests by the hundred thousand, to the agent and to the receiver of pushed samples.

    python tests/fuzz/http_servers.py [--requests 100000] [--seed 1]

Each is judged: no traceback, no answer that is not HTTP or says 500, nothing but /healthz without the
token. Beside them a client with the token is served, on a connection of its own each time. Exit code 1
where anything else comes out.
"""

import argparse
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from bad_requests import TOKEN, request_of

ANSWERED = {100, 200, 400, 401, 403, 404, 405, 409, 411, 413, 414, 421, 422, 431, 501, 503, 505}
PATIENCE_S = 20.0
"""For an answer on a busy machine; a server that reads on has none."""
MOST_LINGERING = 40
LEGIT_EVERY_S = 0.25
MOST_FOUND = 20
_AGENT = ("-m", "capacity.monitor", "--listen", "0")
STATUS = re.compile(rb"HTTP/1\.[01] (\d{3}) ")


class Server:
    """One of the two as a process of its own; what it says is kept."""

    def __init__(self, service, folder):
        self.service, self.log = service, folder / f"{service}.log"
        token = folder / "token"
        token.write_text(TOKEN + "\n", encoding="utf-8")
        token.chmod(0o600)
        command = {
            "agent": [*_AGENT, "--pid", str(os.getpid()), "--token-file", str(token)],
            "push": [str(HERE / "receiver.py"), TOKEN],
        }[service]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen([sys.executable, *command], stderr=log, stdout=log)
        self.port = self._port()

    def _port(self):
        deadline_s = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline_s:
            if found := re.search(r"ready on http://127\.0\.0\.1:(\d+)", self.said()):
                return int(found[1])
            time.sleep(0.05)
        raise TimeoutError(f"the {self.service} did not start: {self.said()}")

    def said(self):
        return self.log.read_text(encoding="utf-8", errors="replace")

    def tracebacks(self):
        return self.said().count("Traceback")

    def close(self):
        self.process.kill()
        self.process.wait()


class Legit(threading.Thread):
    """Asks as it should, again and again, and notes how long it took."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.server, self.took_s, self.refused = server, [], Counter()
        self._is_over = threading.Event()

    def run(self):
        while not self._is_over.wait(LEGIT_EVERY_S):
            began_s = time.monotonic()
            status = self._ask()
            if status in {200, 409, 422}:  # The receiver has had no info that it could believe.
                self.took_s.append(time.monotonic() - began_s)
            else:
                self.refused[status] += 1

    def end(self):
        self._is_over.set()
        self.join()

    def _ask(self):
        head = f"Host: localhost\r\nAuthorization: Bearer {TOKEN}\r\nConnection: close\r\n"
        if self.server.service == "agent":
            request = f"GET /v1/info HTTP/1.1\r\n{head}\r\n".encode()
        else:
            request = f"POST /v1/samples HTTP/1.1\r\n{head}Content-Length: 0\r\n\r\n".encode()
        try:
            with socket.create_connection(
                ("127.0.0.1", self.server.port), PATIENCE_S
            ) as connection:
                connection.sendall(request)
                answer = b"".join(iter(lambda: connection.recv(65_536), b""))
        except OSError as error:
            return type(error).__name__
        return int(answer.split()[1]) if STATUS.match(answer) else "no HTTP"


def sent(port, request, lingering):
    """Send one request; return all that is answered until the server closes, or has nothing to say."""
    connection = socket.create_connection(("127.0.0.1", port), PATIENCE_S)
    answer = b""
    try:
        for piece in request.pieces:
            if piece:
                connection.sendall(piece)
        if request.lingers:
            lingering.append(connection)
            if len(lingering) > MOST_LINGERING:
                lingering.pop(0).close()
            return answer
        connection.shutdown(socket.SHUT_WR)
        while data := connection.recv(1 << 18):
            answer += data
    except TimeoutError:
        raise
    except OSError:
        pass  # Cut off, which is an answer as well.
    finally:
        if connection not in lingering:
            connection.close()
    return answer


def faults(request, answer):
    """Return what is wrong with an answer."""
    if not answer:
        return []
    statuses = [int(status) for status in STATUS.findall(answer)]
    found = []
    if not STATUS.match(answer):
        found.append(f"no HTTP: {answer[:60]!r}")
    found += [f"status {status}" for status in statuses if status not in ANSWERED]
    if 200 in statuses and not (request.has_token or request.is_public):
        found.append("served without the token")
    return found


def fuzz(service, requests, seed, folder, say=lambda _text: None):
    """Return the figures of *requests* to one service."""
    server, statuses, found, lingering = Server(service, folder), Counter(), [], []
    legit = Legit(server)
    legit.start()
    began_s = time.monotonic()
    try:
        for number in range(requests):
            request = request_of(seed, number, service)
            try:
                answer = sent(server.port, request, lingering)
            except TimeoutError:
                found.append({"request": number, "why": f"no answer within {PATIENCE_S:.0f} s"})
            else:
                statuses.update(int(status) for status in STATUS.findall(answer))
                statuses["no answer"] += not answer
                found += [{"request": number, "why": why} for why in faults(request, answer)]
            if server.process.poll() is not None:
                found.append({"request": number, "why": "the server has ended"})
            if len(found) >= MOST_FOUND:
                break
            if number % 5000 == 4999:
                say(
                    f"{service}: {number + 1:,} of {requests:,} in {time.monotonic() - began_s:.0f} s"
                )
    finally:
        legit.end()
        for connection in lingering:
            connection.close()
        tracebacks = server.tracebacks()
        server.close()
    if tracebacks:
        found.append({"request": None, "why": f"tracebacks, the last: {server.said()[-800:]}"})
    return {
        "service": service,
        "seed": seed,
        "requests": number + 1,
        "seconds": round(time.monotonic() - began_s, 1),
        "statuses": {str(status): count for status, count in statuses.most_common()},
        "tracebacks": tracebacks,
        "legitimate": {
            "served": len(legit.took_s),
            "refused": {str(status): count for status, count in legit.refused.items()},
            **times(legit.took_s),
        },
        "found": found,
    }


def times(took_s):
    if len(took_s) < 2:
        return {}
    p99_s = statistics.quantiles(took_s, n=100, method="inclusive")[98]
    found = {"p50_s": statistics.median(took_s), "p99_s": p99_s, "max_s": max(took_s)}
    return {name: round(value, 4) for name, value in found.items()}


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--service", choices=("agent", "push"), action="append")
    options = parser.parse_args(arguments)
    code = 0
    for service in options.service or ("agent", "push"):
        with tempfile.TemporaryDirectory() as folder:
            figures = fuzz(service, options.requests, options.seed, Path(folder), print)
        print(json.dumps(figures, indent=2))
        code |= bool(figures["found"])
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
