"""The filter programs against a model of the kernel's interpreter."""

import struct

from hypothesis import given
from hypothesis import strategies as st

from capacity.monitor.host.socket_filters import no_port_filter, port_filter


def accepts(program, port, remote=0):
    """inet_diag_bc_run() of the kernel, for the three operations that we use."""
    position, left = 0, len(program)
    while left > 0:
        code, yes, no = struct.unpack_from("=BBH", program, position)
        if code in {11, 12}:
            end = port if code == 11 else remote
            step = yes if struct.unpack_from("=BBH", program, position + 4)[2] == end else no
        else:
            assert code == 1
            step = no
        position, left = position + step, left - step
    return left == 0


@given(st.sets(st.integers(1, 65535), min_size=1, max_size=80), st.integers(1, 65535))
def test_the_filter_accepts_exactly_its_ports(ports, other):
    program = port_filter(ports)

    assert all(accepts(program, port) for port in ports)
    assert accepts(program, other) == (other in ports)


@given(st.sets(st.integers(1, 65535), max_size=80), st.integers(1, 65535), st.integers(1, 65535))
def test_the_other_filter_rejects_its_ports_at_either_end(ports, local, remote):
    program = no_port_filter(ports)

    assert not any(accepts(program, port, remote) for port in ports)
    assert not any(accepts(program, local, port) for port in ports)
    assert accepts(program, local, remote) == (local not in ports and remote not in ports)


@given(st.sets(st.integers(1, 65535), min_size=1, max_size=20))
def test_every_step_is_one_that_the_kernel_takes(ports):
    """inet_diag_bc_audit(): whole operations, and no jump by less than the operation itself."""
    for program in (port_filter(ports), no_port_filter(ports)):
        position = 0
        while position < len(program):
            code, yes, no = struct.unpack_from("=BBH", program, position)
            own_bytes = 4 if code == 1 else 8

            assert code in {1, 11, 12}
            assert (0, 0) == (yes % 4, no % 4)
            assert own_bytes <= min(yes, no)
            assert max(yes, no) <= len(program) - position + 4
            position += yes
        assert position == len(program)
