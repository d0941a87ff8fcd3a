"""Private topics of exchanges: logins that are signed by a key or by the time and more."""

import runpy
from pathlib import Path

import jwt
from cryptography.hazmat.primitives import serialization

TOLD = runpy.run_path(str(Path(__file__).with_name("story.py")))
Story = TOLD["Story"]
GATE_KEY = TOLD["GATE_KEY"]
NOW_MS = TOLD["NOW_MS"]
NOW_S = TOLD["NOW_S"]
DATA = TOLD["DATA"]
ACK = TOLD["ACK"]
HEARTBEAT = TOLD["HEARTBEAT"]
IGNORED = TOLD["IGNORED"]
REJECTED = TOLD["REJECTED"]
EDWARDS_KEY = """\
-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIEzNCJso/5banbbDRuwRTg9bijGfNaumJNqM9u1PuKb7
-----END PRIVATE KEY-----
"""
BINANCE_SIGNED = (
    "zslOGZVCKsGj2QoC2cyskEOgUA0CfHQ1ko3CF3owoJmHG2lfja4WLuKvmXcyLDXeRWWtNE99E1GnlQHYkyfrCw=="
)
"""By openssl pkeyutl -sign -rawin, of apiKey=5f9c…&timestamp=1700000000000."""
BYBIT_SIGNED = "7ccf9bb4db01ad0e1ee2c3eef8d8b4730fc9bcab069e44972f6723cde7f692f3"
"""By openssl dgst -sha256 -hmac secret, of GET/realtime1700000010000."""
CDP_KEY = """\
-----BEGIN EC PRIVATE KEY-----
MHcCAQEEII6bEJ5xkJi/mASH3x9dd+nLKWBuvtImO19XwhPfhPSyoAoGCCqGSM49
AwEHoUQDQgAEf83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEXH8UTNG72b
focs3+257rn0s2ldbqkLJK2KRiMohYjlrQ==
-----END EC PRIVATE KEY-----
"""
"""Of RFC 7515, appendix A.3, in the form in which Coinbase hands keys out."""


class CoinbaseToken:
    """Equal to each token of that key with these claims: no two signatures of one text are alike."""

    def __eq__(self, token):
        key = serialization.load_pem_private_key(CDP_KEY.encode(), password=None).public_key()
        claims = jwt.decode(token, key, algorithms=["ES256"], options={"verify_exp": False})
        header = {"alg": "ES256", "typ": "JWT", "kid": "organizations/o/apiKeys/k", "nonce": "n0n"}
        return header == jwt.get_unverified_header(token) and claims == {
            "sub": "organizations/o/apiKeys/k",
            "iss": "cdp",
            "nbf": NOW_S,
            "exp": NOW_S + 120,
        }

    __hash__ = None


def bybit_login():
    args = [GATE_KEY, NOW_MS + 10_000, BYBIT_SIGNED]
    return {"req_id": "1", "op": "auth", "args": args}


def binance_logon():
    params = {"apiKey": GATE_KEY, "signature": BINANCE_SIGNED, "timestamp": NOW_MS}
    return {"id": 1, "method": "session.logon", "params": params}


def coinbase_private(channel, number, event):
    return {
        "channel": channel,
        "client_id": "",
        "timestamp": "2023-02-10T05:13:57.609931463Z",
        "sequence_num": number,
        "events": [event],
    }


PRIVATE_KEYS = {"binance-private": EDWARDS_KEY, "coinbase-private": CDP_KEY}
STORIES = (
    Story(
        name="binance-private",
        follows=(("user", ""),),
        says=(binance_logon(),),
        hears=(
            (
                {
                    "id": 1,
                    "status": 200,
                    "result": {"apiKey": GATE_KEY, "authorizedSince": NOW_MS, "serverTime": NOW_MS},
                    "rateLimits": [{"rateLimitType": "REQUEST_WEIGHT", "limit": 6000, "count": 4}],
                },
                ACK,
                ({"id": 2, "method": "userDataStream.subscribe"},),
            ),
            ({"id": 2, "status": 200, "result": {"subscriptionId": 0}}, ACK, ()),
            (
                {
                    "subscriptionId": 0,
                    "event": {"e": "executionReport", "E": 1499405658658, "s": "ETHBTC"},
                },
                DATA,
                0,
            ),
        ),
        published_at=1499405658.658,
    ),
    Story(
        name="binance-private",
        follows=(("user", ""),),
        says=(binance_logon(),),
        hears=(
            (
                {
                    "id": 1,
                    "status": 401,
                    "error": {"code": -2015, "msg": "Invalid API-key, IP, or permissions"},
                },
                REJECTED,
                (),
            ),
        ),
    ),
    Story(
        name="coinbase-private",
        follows=(("user", ""),),
        says=(
            {"type": "subscribe", "channel": "heartbeats"},
            {"type": "subscribe", "channel": "user", "jwt": CoinbaseToken()},
        ),
        hears=(
            (
                coinbase_private("subscriptions", 0, {"subscriptions": {"user": ["u"]}}),
                IGNORED,
                (),
            ),
            (coinbase_private("user", 1, {"type": "snapshot", "orders": []}), DATA, 0),
            (coinbase_private("heartbeats", 2, {"heartbeat_counter": 1}), HEARTBEAT, ()),
            (coinbase_private("user", 3, {"type": "update", "orders": [{}]}), DATA, 0),
        ),
        published_at=1_676_006_037.609931,
    ),
    Story(
        name="coinbase-private",
        follows=(("user", ""),),
        says=(
            {"type": "subscribe", "channel": "heartbeats"},
            {"type": "subscribe", "channel": "user", "jwt": CoinbaseToken()},
        ),
        hears=(({"type": "error", "message": "authentication failure"}, REJECTED, ()),),
    ),
    Story(
        name="bybit-private",
        follows=(("orders", ""), ("wallet", "")),
        says=(bybit_login(),),
        hears=(
            (
                {"success": True, "ret_msg": "", "op": "auth", "conn_id": "cejreaspqfh3sjdnldmg-p"},
                ACK,
                ({"op": "subscribe", "req_id": "2", "args": ["order", "wallet"]},),
            ),
            (
                {"success": True, "ret_msg": "", "op": "subscribe", "req_id": "2", "conn_id": "c"},
                ACK,
                (),
            ),
            (
                {
                    "id": "5923240c6880ab-c59f-420b-9adb-3639adc9dd90",
                    "topic": "order",
                    "creationTime": 1672364262474,
                    "data": [{"symbol": "ETH-30DEC22-1400-C", "orderStatus": "Cancelled"}],
                },
                DATA,
                0,
            ),
            (
                {"op": "pong", "args": ["1675418560633"], "conn_id": "cfcb4ocsvfriu23r3er0"},
                HEARTBEAT,
                (),
            ),
        ),
        published_at=1672364262.474,
    ),
    Story(
        name="bybit-private",
        follows=(("orders", ""),),
        says=(bybit_login(),),
        hears=(
            (
                {"success": False, "ret_msg": "Params Error", "op": "auth", "conn_id": "c"},
                REJECTED,
                (),
            ),
        ),
    ),
)
