"""Messages as the kernel's sock_diag sends them (sock_diag(7)), made up."""

import struct


def attribute(kind, content):
    padding = bytes(-len(content) % 4)
    return struct.pack("=HH", 4 + len(content), kind) + content + padding


def told(*attributes):
    """Return a message about a socket (72 bytes of its own) with attributes."""
    body = bytes(72) + b"".join(attributes)
    return struct.pack("=IHHII", 16 + len(body), 20, 2, 1, 0) + body
