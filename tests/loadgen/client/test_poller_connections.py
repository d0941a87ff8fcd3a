"""The connections of pollers: opened, kept, ended, over TLS."""

import runpy
from pathlib import Path

import gevent

POLLING = runpy.run_path(str(Path(__file__).with_name("polling.py")))
FOLDER = POLLING["FOLDER"]
wait_until = POLLING["wait_until"]
server = POLLING["server"]
reports = POLLING["reports"]
runner = POLLING["runner"]
poll = POLLING["poll"]
series = POLLING["series"]
ended = POLLING["ended"]
turn_to = POLLING["turn_to"]
TLS = runpy.run_path(str(FOLDER / "tls_target.py"))


def test_a_stage_without_requests_ends_polls_and_connections_at_once(poll, server, runner):
    poll(2.0, pollers=2)
    wait_until(lambda: len(server.clients) == 2)
    turn_to(runner, 0.0, index=1)
    asked = len(server.asked_s)
    wait_until(lambda: server.open_connections == 0)
    gevent.sleep(1.2)

    assert asked == len(server.asked_s)


def test_a_rested_poller_polls_again_on_a_new_connection(poll, server, runner):
    poll(0.0)
    gevent.sleep(0.2)
    asked_while_resting = len(server.asked_s)
    turn_to(runner, 10.0)
    wait_until(lambda: len(server.asked_s) == 2)
    turn_to(runner, 0.0)
    wait_until(lambda: server.open_connections == 0)
    turn_to(runner, 10.0)
    wait_until(lambda: len(server.asked_s) >= 4)

    assert (0, 2) == (asked_while_resting, len(server.clients))


def test_stopped_pollers_hang_up(poll, server, runner):
    poll(20.0, pollers=3)
    wait_until(lambda: len(server.clients) == 3)
    runner.stop()
    wait_until(lambda: server.open_connections == 0)

    assert 0 == runner.user_count


def test_a_connection_for_each_poll_is_timed_apart(poll, server, ended, series):
    poll(50.0, target={"rest": {"operation": "ticker", "connections": "new"}})
    wait_until(lambda: len(server.asked_s) >= 5)
    requests, failures, _latencies = ended()

    assert {} == failures
    assert len(server.clients) == len(server.asked_s)
    assert requests == series("request_opening_tcp").total


def test_a_kept_connection_is_timed_once(poll, server, ended, series):
    poll(50.0)
    wait_until(lambda: len(server.asked_s) >= 5)
    ended()

    assert (1, 1) == (len(server.clients), series("request_opening_tcp").total)


def test_cookies_go_back_so_that_a_target_opens_no_session_for_each_poll(poll, server):
    server.headers = [("Set-Cookie", "session=7; Path=/")]
    poll(50.0)
    wait_until(lambda: len(server.cookies) >= 3)

    assert ["", "session=7", "session=7"] == server.cookies[:3]


def test_a_certificate_that_is_not_trusted_is_counted_as_for_websocket_connections(
    poll, server, ended, reports, tmp_path
):
    authority = TLS["Authority"](tmp_path / "authority")
    front = TLS["fronted"](server.port, authority.certificate("IP:127.0.0.1"))
    poll(50.0, target={"port": front.server_port, "tls": True})
    wait_until(lambda: any(report["failures"] for report in reports))
    requests, failures, _latencies = ended()
    front.stop(timeout=0)

    assert (0, {"tls_certificate"}) == (requests, set(failures))


def test_over_tls_polls_are_answered_and_the_handshake_timed(poll, server, ended, series, tmp_path):
    authority = TLS["Authority"](tmp_path / "authority")
    front = TLS["fronted"](server.port, authority.certificate("IP:127.0.0.1"))
    certificates = {"ca_file": authority.file}
    target = {"port": front.server_port, "tls": True, "certificates": certificates}
    poll(50.0, pollers=2, target=target)
    wait_until(lambda: len(server.clients) == 2 and min(server.clients.values()) >= 2)
    requests, failures, _latencies = ended()
    front.stop(timeout=0)

    assert {} == failures
    assert requests >= 2
    assert 2 == series("request_opening_tls").total
