"""Brokers of messages: STOMP, XMPP, MQTT and NATS."""

import runpy
from pathlib import Path

TOLD = runpy.run_path(str(Path(__file__).with_name("story.py")))
Story = TOLD["Story"]
NOW_MS = TOLD["NOW_MS"]
DATA = TOLD["DATA"]
ACK = TOLD["ACK"]
HEARTBEAT = TOLD["HEARTBEAT"]
IGNORED = TOLD["IGNORED"]
REJECTED = TOLD["REJECTED"]
XMPP_IETF = "urn:ietf:params:xml:ns:xmpp"
XMPP_STREAM = "xmlns:stream='http://etherx.jabber.org/streams'"
XMPP_OPEN = f"<open xmlns='{XMPP_IETF}-framing' to='localhost' version='1.0'/>"
XMPP_OPENED = f"<open xmlns='{XMPP_IETF}-framing' id='74' version='1.0' from='localhost'/>"
XMPP_AUTH = f"<auth xmlns='{XMPP_IETF}-sasl' mechanism='ANONYMOUS'/>"
XMPP_ROOM = "prices@conference.localhost"
STORIES = (
    Story(
        name="stomp",
        follows=(("updates", "BTC"),),
        says=("CONNECT\naccept-version:1.2\nhost:/\nheart-beat:0,0\n\n\0",),
        hears=(
            (
                "CONNECTED\nversion:1.2\nserver:RabbitMQ/3.10.8\nsession:s-1\nheart-beat:0,0\n\n\0",
                ACK,
                ("SUBSCRIBE\nid:/topic/BTC\ndestination:/topic/BTC\nack:auto\nreceipt:2\n\n\0",),
            ),
            ("RECEIPT\nreceipt-id:2\n\n\0", ACK, ()),
            *(
                (
                    (
                        f"MESSAGE\nsubscription:/topic/BTC\ndestination:/topic/BTC\nmessage-id:m{n}\n\n"
                        f'{{"seq":{n},"ts":{NOW_MS}}}\0'
                    ),
                    DATA,
                    missed,
                )
                for n, missed in ((5, 0), (7, 1))
            ),
        ),
        published_at=NOW_MS / 1000,
    ),
    Story(
        name="stomp",
        follows=(("updates", "BTC"),),
        says=("CONNECT\naccept-version:1.2\nhost:/\nheart-beat:0,0\n\n\0",),
        hears=(("ERROR\nmessage:Bad CONNECT\n\nAccess refused\0", REJECTED, ()),),
    ),
    Story(
        name="xmpp",
        follows=(("updates", "prices"),),
        says=(XMPP_OPEN,),
        hears=(
            (XMPP_OPENED, IGNORED, ()),
            (
                (
                    f"<stream:features {XMPP_STREAM}><mechanisms xmlns='{XMPP_IETF}-sasl'><mechanism>"
                    "ANONYMOUS</mechanism></mechanisms></stream:features>"
                ),
                ACK,
                (XMPP_AUTH,),
            ),
            (f"<success xmlns='{XMPP_IETF}-sasl'/>", ACK, (XMPP_OPEN,)),
            (XMPP_OPENED, IGNORED, ()),
            (
                f"<stream:features {XMPP_STREAM}><bind xmlns='{XMPP_IETF}-bind'/></stream:features>",
                ACK,
                (
                    (
                        "<iq xmlns='jabber:client' type='set' id='bind'>"
                        f"<bind xmlns='{XMPP_IETF}-bind'/></iq>"
                    ),
                ),
            ),
            (
                (
                    f"<iq xmlns='jabber:client' type='result' id='bind'><bind xmlns='{XMPP_IETF}-bind'>"
                    "<jid>60@localhost/67</jid></bind></iq>"
                ),
                ACK,
                (
                    (
                        f"<presence xmlns='jabber:client' to='{XMPP_ROOM}/c0'>"
                        "<x xmlns='http://jabber.org/protocol/muc'><history maxstanzas='0'/></x></presence>"
                    ),
                ),
            ),
            # ejabberd first says what the room can do, by a presence that confirms nothing.
            (
                f"<presence xmlns='jabber:client' from='{XMPP_ROOM}' id='1'><c ver='yy'/></presence>",
                IGNORED,
                (),
            ),
            (
                (
                    f"<presence xmlns='jabber:client' to='60@localhost/67' from='{XMPP_ROOM}/c0'>"
                    "<x xmlns='http://jabber.org/protocol/muc#user'><item role='participant'/>"
                    "<status code='110'/></x></presence>"
                ),
                ACK,
                (),
            ),
            (
                f"<message xmlns='jabber:client' from='{XMPP_ROOM}' type='groupchat'><subject/></message>",
                IGNORED,
                (),
            ),
            (
                "<iq xmlns='jabber:client' from='localhost' type='get' id='p-1'><ping/></iq>",
                HEARTBEAT,
                ("<iq xmlns='jabber:client' type='result' id='p-1'/>",),
            ),
            *(
                (
                    (
                        f"<message xmlns='jabber:client' from='{XMPP_ROOM}/source' type='groupchat'>"
                        f"<update xmlns='urn:mine' {told}/><body>{n}</body></message>"
                    ),
                    DATA,
                    missed,
                )
                for n, missed, told in (
                    (5, 0, f"ts='{NOW_MS}' seq='5'"),
                    (7, 1, f'seq="7" ts="{NOW_MS}"'),
                )
            ),
        ),
        published_at=NOW_MS / 1000,
    ),
    Story(
        name="xmpp",
        follows=(("updates", "prices"),),
        says=(XMPP_OPEN,),
        hears=(
            (f"<stream:features {XMPP_STREAM}/>", ACK, (XMPP_AUTH,)),
            (
                f"<failure xmlns='{XMPP_IETF}-sasl'><not-authorized/></failure>",
                REJECTED,
                (),
            ),
        ),
    ),
    Story(
        name="mqtt",
        follows=(("updates", "BTC"),),
        says=(b"\x10\x0c\0\x04MQTT\x04\x02\0\x3c\0\0",),
        hears=(
            (b"\x20\x02\0\0", ACK, (b"\x82\x0b\0\x02\0\x06md/BTC\0",)),
            (b"\x90\x03\0\x02\0", ACK, ()),
            (b"\xd0\0", HEARTBEAT, ()),
            *(
                (b"\x30\x24\0\x06md/BTC" + b'{"seq":%d,"ts":%d}' % (n, NOW_MS), DATA, missed)
                for n, missed in ((1, 0), (4, 2))
            ),
        ),
        published_at=NOW_MS / 1000,
    ),
    Story(
        name="mqtt",
        follows=(("updates", "BTC"),),
        says=(b"\x10\x0c\0\x04MQTT\x04\x02\0\x3c\0\0",),
        hears=((b"\x20\x02\0\x05", REJECTED, ()),),
    ),
    Story(
        name="nats",
        follows=(("updates", "BTC"),),
        says=(),
        hears=(
            (
                'INFO {"server_id":"NA","version":"2.15.1","max_payload":1048576}\r\n',
                ACK,
                (
                    (
                        'CONNECT {"verbose":true,"pedantic":false,"protocol":1,"lang":"capacity",'
                        '"version":"1"}\r\n'
                    ),
                ),
            ),
            ("+OK\r\n", ACK, ("SUB md.BTC 2\r\n",)),
            ("+OK\r\n", ACK, ()),
            ("PING\r\n", HEARTBEAT, ("PONG\r\n",)),
            (f'MSG md.BTC 2 31\r\n{{"seq":1,"ts":{NOW_MS}}}\r\n', DATA, 0),
            (f'MSG md.BTC 2 31\r\n{{"seq":4,"ts":{NOW_MS}}}\r\n', DATA, 2),
        ),
        published_at=NOW_MS / 1000,
    ),
)
