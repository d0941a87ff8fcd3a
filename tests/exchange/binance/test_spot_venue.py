def test_both_forms_of_a_stream_have_the_same_numbers(exchange, open_streams, told):
    client = exchange(updates_per_s=20.0, instruments=1)
    raw = open_streams(client, "/ws/btcusdt@depth@100ms")
    combined = open_streams(client, "/stream?streams=btcusdt@depth@100ms")
    wrapped = [event["data"] for event in told(combined, 3)]
    bare = told(raw, 3)
    while bare[-1]["u"] < wrapped[-1]["u"]:
        bare += told(raw, 1)

    assert {event["u"] for event in wrapped} <= {event["u"] for event in bare}
