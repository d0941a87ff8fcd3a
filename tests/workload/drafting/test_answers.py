"""How requests are answered."""

from capacity.workload.drafting.answers import answer_to
from capacity.workload.drafting.heard import parsed


def test_an_answer_is_told_by_the_id_that_it_repeats(session):
    heard = parsed(session("deribit"))
    names = {name: (name,) for name in heard.following.names}

    assert {
        "where": {"id": "{id:int}"},
        "ok": {"result": {"exists": True}},
        "accepted": "result",
        "error": {"where": {"error": {"exists": True}}, "message": "error"},
    } == answer_to(heard, 2, heard.frames[2][1], names)


def test_an_answer_for_each_channel_names_it(session):
    heard = parsed(session("bitmex"))
    names = {"trade:XBTUSD": ("trade", "XBTUSD"), "quote:XBTUSD": ("quote", "XBTUSD")}
    ack = answer_to(heard, 1, heard.frames[1][1], names)

    assert ({"request.op": "subscribe"}, "subscribe", {"success": True}) == (
        ack["where"],
        ack["channel"],
        ack["ok"],
    )


def test_silence_is_no_answer(session):
    heard = parsed(session("push"))

    assert answer_to(heard, 0, {"op": "subscribe"}, {}) is None
