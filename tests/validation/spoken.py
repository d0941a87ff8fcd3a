"""What clients say over WebSocket before they are served, protocol by protocol, and what a stamp looks like.

Each step is a frame (None: nothing is said) and what a frame of the server has in it that answers it.
"""

import json
import os
import re
import secrets
from dataclasses import dataclass

TEXT, BINARY = 0x81, 0x82
STAMP = re.compile(rb'"ts": ([0-9.]+)')


@dataclass(frozen=True, kw_only=True)
class Protocol:
    steps: tuple = ((None, b""),)
    subprotocol: bytes = b""
    opcode: int = TEXT
    stamp: re.Pattern = STAMP
    """The time of an update in milliseconds; a frame without one is no update."""

    def step(self, number, name):
        """Return the frame of a step, None where nothing is said, and what answers it."""
        said, answer = self.steps[number]
        return (said and said.replace(b"NAME", name)), answer


def masked(payload, opcode):
    """Return a frame of a client around less than 65,536 bytes."""
    mask, size = os.urandom(4), bytes((0x80 | len(payload),))
    if len(payload) > 125:
        size = b"\xfe" + len(payload).to_bytes(2, "big")
    body = bytes(byte ^ mask[n % 4] for n, byte in enumerate(payload))
    return bytes((opcode,)) + size + mask + body


def new_name():
    return secrets.token_hex(6).encode()


def packet(kind, body):
    """Return a packet of MQTT 3.1.1 of less than 128 bytes."""
    return bytes((kind, len(body))) + body


def counted(text):
    return len(text).to_bytes(2, "big") + text


MQTT_CONNECT = packet(0x10, counted(b"MQTT") + b"\x04\x02\x00\x00" + counted(b""))
FRAMING = b"xmlns='urn:ietf:params:xml:ns:xmpp-framing'"
XMPP_OPEN = b"<open %s to='localhost' version='1.0'/>" % FRAMING
XMPP_LOGIN = (
    (XMPP_OPEN, b"<mechanism"),
    (b"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='ANONYMOUS'/>", b"<success"),
    (XMPP_OPEN, b"xmpp-bind"),
    (
        b"<iq type='set' id='bind' xmlns='jabber:client'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>",
        b"<jid>",
    ),
)
XMPP_JOIN = (
    b"<presence xmlns='jabber:client' to='updates@conference.localhost/NAME'>"
    b"<x xmlns='http://jabber.org/protocol/muc'><history maxstanzas='0'/></x></presence>"
)

PROTOCOLS = {
    "json": Protocol(
        steps=((json.dumps({"op": "subscribe", "id": 1, "channels": ["updates"]}).encode(), b""),),
    ),
    "url": Protocol(),
    "stomp": Protocol(
        subprotocol=b"v12.stomp",
        steps=(
            (b"CONNECT\naccept-version:1.2\nhost:/\nheart-beat:0,0\n\n\0", b"CONNECTED"),
            (
                b"SUBSCRIBE\nid:1\ndestination:/topic/updates\nack:auto\nreceipt:1\n\n\0",
                b"RECEIPT",
            ),
        ),
    ),
    "mqtt": Protocol(
        subprotocol=b"mqtt",
        opcode=BINARY,
        steps=(
            (MQTT_CONNECT, b"\x20\x02"),
            (packet(0x82, b"\x00\x01" + counted(b"md/updates") + b"\x00"), b"\x90\x03"),
        ),
    ),
    "xmpp": Protocol(
        subprotocol=b"xmpp",
        steps=(*XMPP_LOGIN, (XMPP_JOIN, b"'110'")),
        stamp=re.compile(rb"ts=['\"]([0-9.]+)"),
    ),
}
BROKERS = frozenset(PROTOCOLS) - {"json", "url"}
