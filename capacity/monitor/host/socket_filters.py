"""Programs of INET_DIAG operations (linux/inet_diag.h), by which the kernel chooses sockets by their ports."""

import struct
from collections.abc import Collection

_OP_JUMP = 1
LOCAL_PORT_IS, REMOTE_PORT_IS = 11, 12
_OPERATION = struct.Struct("=BBH")
_PORT = struct.Struct("=2xH")
"""An operation's operand, in the place of a further one."""


def port_filter(ports: Collection[int], end: int = LOCAL_PORT_IS) -> bytes:
    """Return the program that accepts a socket whose port at that *end*, its own, is one of *ports*.

    Per port: compare; on a match go on to a jump to the end, else skip that jump. Jumping to the
    end accepts, jumping four bytes past it rejects.
    """
    block_bytes, wanted = 12, sorted(ports)
    total_bytes = block_bytes * len(wanted) - 4
    program = b""
    for index, port in enumerate(wanted):
        is_last = index == len(wanted) - 1
        program += _OPERATION.pack(end, 8, 12) + _PORT.pack(port)
        if not is_last:
            program += _OPERATION.pack(_OP_JUMP, 4, total_bytes - len(program))
    return program


def no_port_filter(
    ports: Collection[int], ends: Collection[int] = (LOCAL_PORT_IS, REMOTE_PORT_IS)
) -> bytes:
    """Return the program that accepts a socket neither of whose ports is one of *ports*.

    Per port and end: compare; on a match go on to a jump past the end, else skip that jump.
    """
    block_bytes = 12
    checks = [(end, port) for port in sorted(ports) for end in ends]
    program, total_bytes = b"", block_bytes * len(checks)
    for end, port in checks:
        program += _OPERATION.pack(end, 8, block_bytes) + _PORT.pack(port)
        program += _OPERATION.pack(_OP_JUMP, 4, total_bytes + 4 - len(program))
    return program
