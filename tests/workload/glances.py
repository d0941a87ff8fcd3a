"""Conversations whose updates are glanced at."""

from capacity.settings.dialect import parse
from capacity.workload.conversation import Conversation
from capacity.workload.dialects.compiled import compile_dialect

PUSH = {
    "dialect": 1,
    "name": "push",
    "ws": {"url": "ws://{host}:{port}/"},
    "channels": {"a": {"wire": "{symbol}"}},
    "subscribe": {"send": {"sub": "{channels:list}"}, "confirm": "none"},
    "heartbeat": [{"when_text": '{"kind":"update","ch":"one"}'}],
    "data": [
        {"where": {"kind": "update"}, "key": "ch", "items": "data"},
        {"where": {"1": "tick"}, "key": "{2}:{0}", "items": "3"},
    ],
    "time": {"path": "ts", "unit": "ms"},
    "sequence": [
        {
            "only": "link*",
            "rule": "prev_link",
            "seq": "n",
            "prev": "p",
            "snapshot": {"missing": "p"},
        },
        {"only": "free*", "rule": "none"},
        {"only": "up*", "rule": "monotonic", "seq": "n"},
        {"only": "range*", "rule": "range", "first": "p", "seq": "n"},
        {"rule": "plus_one", "seq": "n"},
    ],
}


def conversation(*channels, **changes):
    compiled = compile_dialect(parse(PUSH | changes))
    followed = Conversation(compiled, channels)
    followed.subscribe()
    return followed


def hits(followed, payloads):
    """Return how many of *payloads* a glance was enough for."""
    count = 0
    for payload in payloads:
        if followed.glance(payload) is not None:
            count += 1
        else:
            followed.receive(payload)
    return count
