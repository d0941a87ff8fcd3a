"""Servers of the agent that answer in a thread of their own."""

import threading

import pytest


@pytest.fixture
def in_a_thread():
    """Have a server answer until the test is over; return it."""
    running = []

    def start(server):
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        running.append((server, thread))
        return server

    yield start
    for server, thread in running:
        server.shutdown()
        server.server_close()
        thread.join()
