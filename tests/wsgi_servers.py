"""WSGI applications served on loopback within this process, each until the test is over."""

from contextlib import ExitStack, contextmanager

from gevent.pywsgi import WSGIServer


@contextmanager
def wsgi_servers():
    """Yield what serves an application and returns its URL."""
    with ExitStack() as stack:

        def start(application):
            server = WSGIServer(("127.0.0.1", 0), application, log=None)
            server.start()
            stack.callback(server.stop, timeout=0)
            return f"http://127.0.0.1:{server.server_port}"

        yield start
