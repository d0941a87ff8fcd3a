"""What the counters of an agent grew by between two samples; what cannot be read is missing, not zero."""

from capacity.domain.sample import Sample

OWN_QUEUE = "target_listen_drops"


def grown(before: Sample, after: Sample, counter: str, least: float = 0.0) -> float | None:
    """Return what a counter has grown by; None where it is not read, began anew or is too small."""
    was, is_now = before.counters.get(counter), after.counters.get(counter)
    return None if was is None or is_now is None or is_now - was < least else is_now - was


def own_drops(first: Sample, newest: Sample) -> float | None:
    """Return how many connects the target's listening sockets dropped, None where that is not known.

    A socket's drops also count packets that were discarded of a handshake that went on all the same
    (net/ipv4/tcp_ipv4.c, discard_and_relse); connects are in ListenDrops of the namespace as well.
    """
    own, of_all = grown(first, newest, OWN_QUEUE), grown(first, newest, "listen_drops")
    return own if own is None or of_all is None else min(own, of_all)
