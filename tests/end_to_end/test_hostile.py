"""A target that misbehaves costs the connection it does it on, with a counted reason: no other's
messages come late or not at all, and the worker's memory stays what it was.

One worker's connections on real sockets; the hostile one among twenty healthy ones. Bounds are wide:
the target takes the same machine's cores.
"""

import os
import subprocess
import sys
from pathlib import Path

import gevent
import pytest

from capacity.domain.histogram import Histogram
from capacity.loadgen.client.clients import Clients
from capacity.loadgen.client.slots.connection_slot import ConnectionSlot
from capacity.loadgen.protocol.instructions import RunInstructions, Stage
from capacity.loadgen.wire.handshake import HandshakeError

# Several of these at once would take each other's processor time, which no bound is for.
pytestmark = [pytest.mark.end_to_end, pytest.mark.xdist_group("hostile")]

HEALTHY = 20
HEALTHY_PER_S = 20
WATCHED_S = 1.0
OPEN_TIMEOUT_S = 3.0
MOST_DELAY_S = 0.25
"""Of a machine to ourselves: what this process waited for a processor is taken out of it."""
MOST_GROWTH_BYTES = 64 << 20

NO_CONNECTION = {
    "junk_first": "handshake_invalid",
    "head_drips": "connect_timeout",
    "head_without_end": "handshake_invalid",
    "body_without_end": "handshake_rejected_503",
    "reset_at_once": "connect_reset",
    "reset_within_head": "connect_reset",
    "silent_before_upgrade": "connect_timeout",
}
LOST = {
    "huge_header": "message_too_big",
    "negative_length": "message_too_big",
    "fragments": "message_too_big",
    "empty_fragments": "too_many_fragments",
    "bomb": "message_too_big",
    "bad_deflate": "frame_invalid",
    "not_utf8": "text_not_utf8",
    "masked": "frame_masked",
    "junk_after": "frame_invalid",
    "reset_after_upgrade": "connection_reset",
    "reset_within_frame": "connection_reset",
    "no_close_frame": "connection_ended",
    "close_frame": "closed_by_target",
    "bad_close_frame": "frame_invalid",
    "pings_unread": "target_not_reading",
}
KEPT = ("chatter", "silence", "frame_drips", "snapshots", "deflated")
NAMES = ("healthy", *NO_CONNECTION, *LOST, *KEPT)
DIALECT = {
    "dialect": 1,
    "name": "hostile",
    "ws": {
        "url": "{scheme}://{host}:{port}/{channel}",
        "idle_channel": "idle",
        "open_timeout_s": OPEN_TIMEOUT_S,
        "max_message_bytes": 2 << 20,
        "compression": "deflate",
    },
    "channels": {"updates": {"wire": "{symbol}"}},
    "data": {"where": {"channel": {"exists": True}}, "key": "channel"},
    "time": {"path": "ts", "unit": "s"},
    "sequence": [{"rule": "plus_one", "seq": "seq"}],
}


@pytest.fixture(scope="module")
def port():
    program = Path(__file__).with_name("hostile_target.py")
    with subprocess.Popen([sys.executable, program], stdout=subprocess.PIPE, text=True) as process:
        yield int(process.stdout.readline())
        process.kill()


@pytest.fixture(scope="module")
def clients(port):
    target = {
        "target": 1,
        "name": "hostile",
        "host": "127.0.0.1",
        "port": port,
        "dialect": "hostile",
        "channels": ["updates"],
        "symbols": list(NAMES),
    }
    clients = Clients(RunInstructions(target=target, dialect=DIALECT))
    stage = {"index": 0, "phase": "plateau", "subscriptions_per_connection": 1}
    clients.turn_to(Stage(**stage, requests_per_s=0.0, connects_per_s=1000.0))
    yield clients
    clients.close()


class Group:
    """Feeds that all follow one of NAMES."""

    def __init__(self, clients, name, count):
        self.losses = 0
        self.slots = [
            ConnectionSlot(clients, NAMES.index(name) + n * len(NAMES), self._note)
            for n in range(count)
        ]

    def _note(self):
        self.losses += 1

    def close(self):
        for slot in self.slots:
            slot.close()


@pytest.fixture(scope="module")
def healthy(clients):
    group = Group(clients, "healthy", HEALTHY)
    for slot in group.slots:
        slot.open()
    yield group
    group.close()


@pytest.fixture
def hostile(clients, healthy, request):
    """A slot for one connection that is not opened yet; what came before it is not counted."""
    group = Group(clients, request.param, 1)
    clients.counters.take(0.0)
    yield group
    group.close()


def resident_bytes():
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def ran_and_waited_ns():
    """Return how long this thread ran, and how long it waited for a processor (sched-stats.rst)."""
    ran, waited, _slices = Path("/proc/thread-self/schedstat").read_text().split()
    return int(ran), int(waited)


class Watch:
    """What the worker saw while time went by."""

    def __init__(self, clients, healthy, seconds):
        before_bytes, (ran_ns, waited_ns) = resident_bytes(), ran_and_waited_ns()
        grown_bytes = 0
        for _ in range(20):
            gevent.sleep(seconds / 20)
            grown_bytes = max(grown_bytes, resident_bytes() - before_bytes)
        self.report = clients.counters.take(0.0)
        ran_since_ns, waited_since_ns = ran_and_waited_ns()
        stretch = 1.0 + (waited_since_ns - waited_ns) / (ran_since_ns - ran_ns)
        delays = Histogram(self.report["histograms"]["delivery_delay"])
        self.delay_p95_s = delays.quantile_us(0.95) / 1e6 / stretch
        self.are_healthy_unharmed = (
            not healthy.losses
            and all(slot.is_open for slot in healthy.slots)
            and not self.report["gaps"]
            and self.report["deliveries"] > 0.8 * HEALTHY * HEALTHY_PER_S * seconds
            and self.delay_p95_s < MOST_DELAY_S
            and grown_bytes < MOST_GROWTH_BYTES
        )
        self.circumstances = f"grew {grown_bytes >> 20} MiB, {self.delay_p95_s} s, {self.report}"


@pytest.mark.parametrize("hostile", NO_CONNECTION, indirect=True)
def test_a_hostile_handshake_is_one_failure(request, clients, healthy, hostile, seconds):
    name = request.node.callspec.params["hostile"]
    opening = gevent.spawn(hostile.slots[0].open)
    watch = Watch(clients, healthy, seconds(WATCHED_S))
    with pytest.raises(HandshakeError, match=f"^{NO_CONNECTION[name]}$"):
        opening.get(timeout=seconds(30.0))

    assert watch.are_healthy_unharmed, watch.circumstances
    assert 0 == watch.report["connects"]


@pytest.mark.parametrize("hostile", LOST, indirect=True)
def test_a_hostile_connection_is_one_loss(request, clients, healthy, hostile, seconds):
    name = request.node.callspec.params["hostile"]
    hostile.slots[0].open()
    watch = Watch(clients, healthy, seconds(WATCHED_S))

    assert watch.are_healthy_unharmed, watch.circumstances
    assert 1 == hostile.losses
    assert (1, {LOST[name]: 1}) == (watch.report["lost"], watch.report["failures"])


@pytest.mark.parametrize("hostile", KEPT, indirect=True)
def test_a_strange_but_legal_connection_is_kept(clients, healthy, hostile, seconds):
    hostile.slots[0].open()
    watch = Watch(clients, healthy, seconds(WATCHED_S))

    assert watch.are_healthy_unharmed, watch.circumstances
    assert hostile.slots[0].is_open
    assert {} == watch.report["failures"]


@pytest.mark.parametrize("hostile", ["snapshots", "deflated"], indirect=True)
def test_large_and_compressed_updates_are_counted_and_complete(clients, healthy, hostile, seconds):
    for slot in healthy.slots:
        slot.close()
    clients.counters.take(0.0)
    hostile.slots[0].open()
    with gevent.Timeout(seconds(60.0)):
        while clients.counters.deliveries < 5:
            gevent.sleep(0.02)
    report = clients.counters.take(0.0)
    for slot in healthy.slots:
        slot.open()

    assert report["deliveries"] >= 5
    assert (0, 0, 0) == (report["gaps"], report["unmatched"], report["untimed"])
