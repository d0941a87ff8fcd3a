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
from capacity.loadgen.feed import Feed
from capacity.loadgen.fleet import Fleet, Orders, Stage
from capacity.loadgen.handshake import HandshakeError

pytestmark = pytest.mark.end_to_end

HEALTHY = 20
HEALTHY_PER_S = 20
WATCHED_S = 1.0
OPEN_TIMEOUT_S = 3.0
MOST_DELAY_S = 0.25
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
def fleet(port):
    target = {
        "target": 1,
        "name": "hostile",
        "host": "127.0.0.1",
        "port": port,
        "dialect": "hostile",
        "channels": ["updates"],
        "symbols": list(NAMES),
    }
    fleet = Fleet(Orders(target=target, dialect=DIALECT))
    stage = {"index": 0, "phase": "plateau", "subscriptions_per_connection": 1}
    fleet.turn_to(Stage(**stage, requests_per_s=0.0, connects_per_s=1000.0))
    yield fleet
    fleet.close()


class Group:
    """Feeds that all follow one of NAMES."""

    def __init__(self, fleet, name, count):
        self.losses = 0
        self.feeds = [
            Feed(fleet, NAMES.index(name) + n * len(NAMES), self._note) for n in range(count)
        ]

    def _note(self):
        self.losses += 1

    def close(self):
        for feed in self.feeds:
            feed.close()


@pytest.fixture(scope="module")
def healthy(fleet):
    group = Group(fleet, "healthy", HEALTHY)
    for feed in group.feeds:
        feed.open()
    yield group
    group.close()


@pytest.fixture
def hostile(fleet, healthy, request):
    """A slot for one connection that is not opened yet; what came before it is not counted."""
    group = Group(fleet, request.param, 1)
    fleet.ledger.take(0.0)
    yield group
    group.close()


def resident_bytes():
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


class Watch:
    """What the worker saw while time went by."""

    def __init__(self, fleet, healthy, seconds):
        before_bytes = resident_bytes()
        grown_bytes = 0
        for _ in range(20):
            gevent.sleep(seconds / 20)
            grown_bytes = max(grown_bytes, resident_bytes() - before_bytes)
        self.report = fleet.ledger.take(0.0)
        delays = Histogram(self.report["histograms"]["delivery_delay"])
        self.delay_p95_s = delays.quantile_us(0.95) / 1e6
        self.are_healthy_unharmed = (
            not healthy.losses
            and all(feed.is_open for feed in healthy.feeds)
            and not self.report["gaps"]
            and self.report["deliveries"] > 0.8 * HEALTHY * HEALTHY_PER_S * seconds
            and self.delay_p95_s < MOST_DELAY_S
            and grown_bytes < MOST_GROWTH_BYTES
        )
        self.circumstances = f"grew {grown_bytes >> 20} MiB, {self.delay_p95_s} s, {self.report}"


@pytest.mark.parametrize("hostile", NO_CONNECTION, indirect=True)
def test_a_hostile_handshake_is_one_failure(request, fleet, healthy, hostile, seconds):
    name = request.node.callspec.params["hostile"]
    opening = gevent.spawn(hostile.feeds[0].open)
    watch = Watch(fleet, healthy, seconds(WATCHED_S))
    with pytest.raises(HandshakeError, match=f"^{NO_CONNECTION[name]}$"):
        opening.get(timeout=seconds(30.0))

    assert watch.are_healthy_unharmed, watch.circumstances
    assert 0 == watch.report["connects"]


@pytest.mark.parametrize("hostile", LOST, indirect=True)
def test_a_hostile_connection_is_one_loss(request, fleet, healthy, hostile, seconds):
    name = request.node.callspec.params["hostile"]
    hostile.feeds[0].open()
    watch = Watch(fleet, healthy, seconds(WATCHED_S))

    assert watch.are_healthy_unharmed, watch.circumstances
    assert 1 == hostile.losses
    assert (1, {LOST[name]: 1}) == (watch.report["lost"], watch.report["failures"])


@pytest.mark.parametrize("hostile", KEPT, indirect=True)
def test_a_strange_but_legal_connection_is_kept(fleet, healthy, hostile, seconds):
    hostile.feeds[0].open()
    watch = Watch(fleet, healthy, seconds(WATCHED_S))

    assert watch.are_healthy_unharmed, watch.circumstances
    assert hostile.feeds[0].is_open
    assert {} == watch.report["failures"]


@pytest.mark.parametrize("hostile", ["snapshots", "deflated"], indirect=True)
def test_large_and_compressed_updates_are_counted_and_complete(fleet, healthy, hostile, seconds):
    for feed in healthy.feeds:
        feed.close()
    fleet.ledger.take(0.0)
    hostile.feeds[0].open()
    with gevent.Timeout(seconds(60.0)):
        while fleet.ledger.deliveries < 5:
            gevent.sleep(0.02)
    report = fleet.ledger.take(0.0)
    for feed in healthy.feeds:
        feed.open()

    assert report["deliveries"] >= 5
    assert (0, 0, 0) == (report["gaps"], report["unmatched"], report["untimed"])
