"""A locustfile beside the product's own: which connections received something during the plateau.

Each worker writes what it saw into the folder that CAPACITY_WITNESS names.
"""

import json
import os
from pathlib import Path

from capacity.loadgen.feed import Feed
from capacity.loadgen.fleet import Fleet

FOLDER = Path(os.environ["CAPACITY_WITNESS"])
_on_messages, _turn_to, _close = Feed.on_messages, Fleet.turn_to, Fleet.close
heard: set[int] = set()


def open_feeds(fleet):
    return {feed.index for feed in fleet._feeds.values() if feed.is_open}


def on_messages(feed, connection, payloads):
    ledger = feed._fleet.ledger
    before = ledger.deliveries
    _on_messages(feed, connection, payloads)
    if ledger.deliveries > before:
        heard.add(feed.index)


def write_down(fleet):
    if fleet.stage.phase == "plateau":
        is_open = open_feeds(fleet)
        seen = {"open_at_end": len(is_open), "silent": len(is_open - heard)}
        (FOLDER / f"{os.getpid()}.json").write_text(json.dumps(seen), encoding="utf-8")


def turn_to(fleet, stage):
    write_down(fleet)
    _turn_to(fleet, stage)
    heard.clear()


def close(fleet):
    write_down(fleet)
    _close(fleet)


Feed.on_messages, Fleet.turn_to, Fleet.close = on_messages, turn_to, close
