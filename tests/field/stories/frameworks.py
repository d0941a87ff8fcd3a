"""Frameworks that carry messages to browsers, and what is no WebSocket."""

import runpy
from pathlib import Path

TOLD = runpy.run_path(str(Path(__file__).with_name("story.py")))
Story = TOLD["Story"]
NOW_MS = TOLD["NOW_MS"]
DATA = TOLD["DATA"]
ACK = TOLD["ACK"]
HEARTBEAT = TOLD["HEARTBEAT"]
REJECTED = TOLD["REJECTED"]
STORIES = (
    Story(
        name="signalr",
        follows=(("updates", "A"),),
        says=('{"protocol":"json","version":1}\x1e',),
        hears=(
            (
                {},
                ACK,
                ('{"type":1,"invocationId":"2","target":"Subscribe","arguments":["A"]}\x1e',),
            ),
            ({"type": 3, "invocationId": "2", "result": None}, ACK, ()),
            ({"type": 6}, HEARTBEAT, ()),
            *(
                (
                    {
                        "type": 1,
                        "target": "tick",
                        "arguments": [{"symbol": "A", "seq": seq, "ts": NOW_MS}],
                    },
                    DATA,
                    missed,
                )
                for seq, missed in ((1, 0), (2, 0), (4, 1))
            ),
        ),
        published_at=NOW_MS / 1000,
    ),
    Story(
        name="graphql",
        follows=(("ticks", "A"), ("ticks", "B")),
        says=({"type": "connection_init"},),
        hears=(
            (
                {"type": "connection_ack"},
                ACK,
                tuple(
                    {
                        "id": symbol,
                        "type": "subscribe",
                        "payload": {
                            "query": (
                                "subscription ($symbol: String!)"
                                " { tick(symbol: $symbol) { seq ts } }"
                            ),
                            "variables": {"symbol": symbol},
                        },
                    }
                    for symbol in "AB"
                ),
            ),
            ({"type": "ping"}, HEARTBEAT, ({"type": "pong"},)),
            ({"id": "B", "type": "error", "payload": [{"message": "no B"}]}, REJECTED, ()),
            (
                {
                    "id": "A",
                    "type": "next",
                    "payload": {"data": {"tick": {"seq": 1, "ts": NOW_MS}}},
                },
                DATA,
                0,
            ),
        ),
        published_at=NOW_MS / 1000,
    ),
    Story(
        name="phoenix",
        follows=(("updates", "A"),),
        says=(["1", "1", "feed:A", "phx_join", {}],),
        hears=(
            (["1", "1", "feed:A", "phx_reply", {"status": "ok", "response": {}}], ACK, ()),
            ([None, "2", "phoenix", "phx_reply", {"status": "ok", "response": {}}], HEARTBEAT, ()),
            (["1", None, "feed:A", "update", {"seq": 1, "ts": NOW_MS}], DATA, 0),
            (["1", None, "feed:A", "update", {"seq": 3, "ts": NOW_MS}], DATA, 1),
        ),
        published_at=NOW_MS / 1000,
    ),
    Story(
        name="phoenix",
        follows=(("updates", "A"),),
        says=(["1", "1", "feed:A", "phx_join", {}],),
        hears=(
            (
                [
                    "1",
                    "1",
                    "feed:A",
                    "phx_reply",
                    {"status": "error", "response": {"reason": "unauthorized"}},
                ],
                REJECTED,
                (),
            ),
        ),
    ),
    Story(
        name="centrifugo",
        follows=(("updates", "news"),),
        says=({"id": 1, "connect": {}},),
        hears=(
            (
                {"id": 1, "connect": {"client": "42717adc", "version": "5.0.0", "ping": 25}},
                ACK,
                ({"id": 2, "subscribe": {"channel": "news"}},),
            ),
            ({"id": 2, "subscribe": {}}, ACK, ()),
            ("{}", HEARTBEAT, ("{}",)),
            *(
                (
                    {"push": {"channel": "news", "pub": {"data": {"ts": NOW_MS}, "offset": n}}},
                    DATA,
                    missed,
                )
                for n, missed in ((5, 0), (6, 0), (9, 2))
            ),
        ),
        published_at=NOW_MS / 1000,
    ),
    Story(
        name="socket-io",
        follows=(("updates", "BTC"),),
        says=(),
        hears=(
            ('0{"sid":"abc","upgrades":[],"pingInterval":25000,"pingTimeout":20000}', ACK, ("40",)),
            ('40{"sid":"def"}', ACK, ('422["subscribe",{"channel":"BTC"}]',)),
            ("432[]", ACK, ()),
            ("2", HEARTBEAT, ("3",)),
            *(
                (f'42["update",{{"channel":"BTC","seq":{n},"ts":{NOW_MS}}}]', DATA, missed)
                for n, missed in ((1, 0), (3, 1))
            ),
        ),
        published_at=NOW_MS / 1000,
    ),
    Story(
        name="event-stream",
        follows=(("updates", "BTC"),),
        says=(),
        hears=tuple(
            (f'id: {n}\ndata: {{"seq":{n},\ndata: "ts":{NOW_MS}}}', DATA, missed)
            for n, missed in ((1, 0), (4, 2))
        ),
        published_at=NOW_MS / 1000,
    ),
    Story(
        name="long-poll",
        follows=(("updates", "BTC"),),
        says=(),
        hears=tuple(({"seq": n, "ts": NOW_MS}, DATA, missed) for n, missed in ((1, 0), (4, 2))),
        published_at=NOW_MS / 1000,
    ),
    Story(
        name="json-echo",
        follows=(("echo", ""),),
        says=(),
        hears=(
            ({"id": 1, "t": NOW_MS}, DATA, 0),
            ({"id": 3, "t": NOW_MS}, DATA, 1),
        ),
        published_at=NOW_MS / 1000,
    ),
)
