"""Line speeds of made-up hosts, token buckets of real namespaces, and shapers we cannot read."""

import pytest

from capacity.domain.resources import LimitState
from capacity.monitor.host.qdisc import Qdisc
from capacity.monitor.limits import links as module
from capacity.monitor.limits.links import link_entries, link_limit, shaped_bytes_per_s


@pytest.fixture
def host(write_file, tmp_path, view, monkeypatch):
    """A made-up host: links with speeds and shapers."""
    write_file("7/stat", "7 (n) S 1 " + "0 " * 40)
    ours = write_file("self/net/tcp", "")
    (tmp_path / "7/net").mkdir()
    (tmp_path / "7/net/tcp").hardlink_to(ours)

    def make(speeds, qdiscs):
        names = {"lo", *speeds, *qdiscs}
        rows = "".join(f"{name}: {'0 ' * 16}\n" for name in sorted(names))
        write_file("7/net/dev", f"Inter-|\n face |\n{rows}")
        for name, text in speeds.items():
            write_file(f"sys/class/net/{name}/speed", text)
        monkeypatch.setattr(module, "root_qdiscs", lambda: qdiscs)
        return view(7, proc=str(tmp_path)), str(tmp_path / "sys")

    return make


def tbf(bytes_per_s):
    return Qdisc(kind="tbf", rate_bytes_per_s=bytes_per_s)


@pytest.mark.parametrize(
    ("shaped", "value", "scope", "source"),
    [
        (10**6, 10**6, "namespace", "tc qdisc show dev eth0"),
        (10**9, 125 * 10**6, "host", "class/net/eth0/speed"),
    ],
    ids=["below the line", "above the line"],
)
def test_the_smaller_of_line_and_bucket_counts(host, shaped, value, scope, source):
    target, sys = host({"eth0": "1000\n"}, {"eth0": tbf(shaped)})
    limit = link_limit(["eth0"], target, sys)

    assert (limit.value, limit.scope) == (value, scope)
    assert source in limit.source


def test_a_bucket_speaks_for_a_link_that_is_silent_of_its_speed(host):
    target, sys = host({"eth0": "-1\n"}, {"eth0": tbf(500)})

    assert link_limit(["eth0"], target, sys).value == 500


@pytest.mark.parametrize("megabits_per_s", [-1, 0])
def test_a_link_that_is_silent_of_its_speed_leaves_it_unknown(host, megabits_per_s):
    target, sys = host({"eth0": f"{megabits_per_s}\n"}, {})
    limit = link_limit(["eth0"], target, sys)

    assert (LimitState.UNKNOWN, None) == (limit.state, limit.value)
    assert "eth0 does not say its speed" in limit.reason


def test_links_add_up_whatever_limits_each(host):
    target, sys = host({"eth0": "8\n", "eth1": "-1\n"}, {"eth1": tbf(500)})

    assert link_limit(["eth0", "eth1"], target, sys).value == 1_000_500


@pytest.mark.parametrize("kind", ["htb", "cake", "netem"])
def test_a_shaper_with_a_rate_that_is_not_read_leaves_the_limit_unknown(host, kind):
    qdiscs = {"eth0": Qdisc(kind=kind, rate_bytes_per_s=None)}
    target, sys = host({"eth0": "1000\n"}, qdiscs)
    limit = link_limit(["eth0"], target, sys)

    assert (limit.state, limit.value) == (LimitState.UNKNOWN, None)
    assert f"the {kind} queueing discipline of eth0" in limit.reason


def test_disciplines_that_do_not_shape_are_no_limit():
    for kind in ("noqueue", "fq_codel", "mq", "pfifo_fast"):
        assert shaped_bytes_per_s("x", {"x": Qdisc(kind=kind, rate_bytes_per_s=None)}) is None


def test_every_link_has_its_speed_and_its_shaping_in_the_audit(host):
    target, sys = host({"eth0": "1000\n", "eth1": "-1\n"}, {"lo": tbf(7)})
    found = {entry.name: entry for entry in link_entries(target, sys)}

    assert found["line speed of eth0"].value == 125e6
    assert found["line speed of eth1"].state is LimitState.UNKNOWN
    assert found["egress rate of eth1"].state is LimitState.UNLIMITED
    assert found["egress rate of lo"].value == 7
    assert "line speed of lo" not in found


def test_a_bucket_on_a_real_loopback_is_its_limit(start_elsewhere, run_there, view):
    child = start_elsewhere()
    run_there(child.pid, "ip link set lo up")
    free = link_limit(["lo"], view(child.pid))
    run_there(child.pid, "tc qdisc add dev lo root tbf rate 8mbit burst 10kb latency 1s")
    shaped = link_limit(["lo"], view(child.pid))

    assert free.state is LimitState.UNLIMITED
    assert (shaped.value, shaped.scope) == (1_000_000, "namespace")
