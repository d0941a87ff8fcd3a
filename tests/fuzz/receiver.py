"""A receiver of pushed samples by itself, for tests/fuzz/http_servers.py: says where it listens, serves until killed."""

import signal
import sys

from capacity.sources.push_server import PushServer
from capacity.sources.pushed import PushedSamples


def main(token):
    server = PushServer(("127.0.0.1", 0), PushedSamples("the fuzz"), token)
    server.start()
    print(f"receiver ready on {server.url}", file=sys.stderr, flush=True)
    signal.pause()


if __name__ == "__main__":
    main(sys.argv[1])
