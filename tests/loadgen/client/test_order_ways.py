"""Requests of a trader against a venue that answers late, badly, or not at all."""

import json
import runpy
from pathlib import Path

import gevent
import pytest
from gevent.pywsgi import WSGIServer

from capacity.loadgen.client.clients import Clients
from capacity.loadgen.client.order_ways import RestWay, WebSocketWay
from capacity.loadgen.protocol.instructions import RunInstructions
from capacity.workload.order_cycle import Outcome

VENUE = runpy.run_path(str(Path(__file__).parents[1] / "orders_venue.py"))
VALUES, orders_with = VENUE["VALUES"], VENUE["orders_with"]


@pytest.fixture
def way_of():
    made = []

    def way(*given):
        made.append(RestWay(*given))
        return made[-1]

    yield way
    for each in made:
        each.close()


@pytest.fixture
def clients_of():
    made = []

    def clients_with(given, **changes):
        orders = given if isinstance(given, dict) else orders_with(given, **changes)
        made.append(Clients(RunInstructions.from_message(orders)))
        return made[-1]

    yield clients_with
    for clients in made:
        clients.close()


class Http:
    """Says to each path what it is told to; None ends the connection without an answer."""

    def __init__(self):
        self.asked, self.answers, self.delay_s = [], {}, 0.0
        self.listener = WSGIServer(("127.0.0.1", 0), self._answer, log=None)
        self.listener.start()
        self.port = self.listener.server_port

    def _answer(self, environ, start_response):
        path = environ["PATH_INFO"].rpartition("/")[2]
        self.asked.append((path, environ.get("HTTP_AUTHORIZATION")))
        gevent.sleep(self.delay_s)
        status, result = self.answers.get(path, ("200 OK", {"access_token": "t"}))
        if status is None:
            environ["wsgi.input"].socket.close()
            return []
        body = json.dumps(
            {"result": result} if status[0] == "2" else {"error": {"code": 1}}
        ).encode()
        start_response(status, [("Content-Length", str(len(body)))])
        return [body]


@pytest.fixture
def http():
    server = Http()
    yield server
    server.listener.stop(timeout=0)


def test_who_logs_in_once_has_the_token_in_every_request(http, clients_of, way_of):
    way = way_of(clients_of(http.port), 2.0)

    assert [way.ask("balance", VALUES).told.outcome for _ in range(2)] == [Outcome.ANSWERED] * 2
    asked = "get_account_summaries"
    assert http.asked == [("auth", None), (asked, "Bearer t"), (asked, "Bearer t")]


def test_a_token_that_is_refused_is_asked_for_anew(http, clients_of, way_of):
    way = way_of(clients_of(http.port), 2.0)
    http.answers["cancel"] = ("401 Unauthorized", None)

    assert way.ask("cancel", VALUES).told.outcome is Outcome.REFUSED
    way.ask("balance", VALUES)
    assert [path for path, _ in http.asked][-2:] == ["auth", "get_account_summaries"]


@pytest.mark.parametrize(
    ("plant", "outcome", "failure"),
    [
        ({"delay_s": 0.4}, Outcome.UNKNOWN, "order_unknown_timeout"),
        ({"answers": {"cancel": ("502 Bad Gateway", None)}}, Outcome.UNKNOWN, None),
        ({"answers": {"cancel": ("400 Bad Request", None)}}, Outcome.REFUSED, None),
    ],
)
def test_without_an_answer_the_outcome_over_rest_is_unknown(
    http, clients_of, plant, outcome, failure, way_of
):
    way = way_of(clients_of(http.port), 0.2)
    way.ask("balance", VALUES)
    for name, value in plant.items():
        setattr(http, name, value)
    asked = way.ask("cancel", VALUES)

    assert (asked.told.outcome, asked.failure) == (outcome, failure)


@pytest.mark.parametrize("make", [RestWay, lambda clients, s: WebSocketWay(clients, 0, s)])
def test_where_nobody_listens_nothing_was_sent(clients_of, make):
    with gevent.socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    asked = make(clients_of(port), 1.0).ask("place", VALUES)

    assert (asked.told.outcome, asked.failure) == (
        Outcome.NOT_SENT,
        "order_not_sent_connect_refused",
    )


def test_a_login_that_is_refused_sends_no_order(http, clients_of, way_of):
    http.answers["auth"] = ("400 Bad Request", None)
    asked = way_of(clients_of(http.port), 2.0).ask("place", VALUES)

    assert (asked.told.outcome, len(http.asked)) == (Outcome.NOT_SENT, 1)


def test_over_websocket_answers_are_told_from_what_is_pushed(venue, clients_of):
    way = WebSocketWay(clients_of(venue.port), 0, 2.0)
    venue.before_answers = [
        {"id": 5, "result": "another's"},
        {"method": "heartbeat", "params": {"type": "x"}},
    ]

    assert way.ask("place", VALUES).told.kept == {"order_id": "X-1"}
    assert [frame["method"] for frame in venue.frames] == ["public/auth", "private/buy"]


@pytest.mark.parametrize(
    "asks",
    [{"method": "heartbeat", "params": {"type": "test_request"}}, "are you there?"],
    ids=["a frame", "no JSON"],
)
def test_a_test_request_of_the_venue_is_answered_meanwhile(venue, clients_of, asks):
    orders = orders_with(venue.port)
    test = {"id": "{id:int}", "method": "public/test", "params": {}}
    orders["dialect"]["heartbeat"].append({"when_text": "are you there?", "send": test})
    way = WebSocketWay(clients_of(orders), 0, 2.0)
    venue.before_answers = [asks]
    way.ask("balance", VALUES)

    with gevent.Timeout(5):
        while "public/test" not in [frame["method"] for frame in venue.frames]:
            gevent.sleep(0.01)

    # The venue asks again before each answer, also before that to a test.
    asked = [frame["method"] for frame in venue.frames if frame["method"] != "public/test"]
    assert asked == ["public/auth", "private/get_account_summaries"]


@pytest.mark.parametrize(
    ("behaviour", "failure"), [("silent", "order_unknown_timeout"), ("drop", "order_unknown_")]
)
def test_without_an_answer_the_outcome_over_websocket_is_unknown(
    venue, clients_of, behaviour, failure
):
    way = WebSocketWay(clients_of(venue.port), 0, 0.3)
    way.ask("balance", VALUES)
    venue.behaviour = behaviour
    asked = way.ask("cancel", VALUES)

    assert asked.told.outcome is Outcome.UNKNOWN
    assert asked.failure.startswith(failure)
    venue.behaviour = "answer"
    assert way.ask("balance", VALUES).told.outcome is Outcome.ANSWERED


def test_a_late_answer_is_not_taken_for_that_of_the_next_request(venue, clients_of):
    way = WebSocketWay(clients_of(venue.port), 0, 0.3)
    way.ask("balance", VALUES)
    venue.behaviour = "late"
    assert way.ask("cancel", VALUES).told.outcome is Outcome.UNKNOWN
    venue.behaviour = "answer"

    assert way.ask("place", VALUES).told.kept == {"order_id": "X-1"}


def test_a_login_waits_for_its_turn_among_the_requests_of_all_connections_and_orders_do_not(
    venue, clients_of
):
    clients = clients_of(venue.port, total_requests_per_s=4.0)
    way = WebSocketWay(clients, 0, 0.1)
    clients.request_turns.send(b"of another connection", lambda _frame: True)
    turn_s = clients.request_turns.wait_s(1)

    assert turn_s > 0.1, "longer than the answer may take"
    assert Outcome.ANSWERED is way.ask("balance", VALUES).told.outcome
    assert Outcome.ANSWERED is way.ask("balance", VALUES).told.outcome
    assert turn_s == clients.request_turns.wait_s(1), "nobody waits"
