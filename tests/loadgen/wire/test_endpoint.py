from dataclasses import replace

import pytest

from capacity.loadgen.wire.endpoint import Endpoint, endpoint_of, host_by_certificate
from capacity.settings.dialect import load_dialect
from capacity.settings.locate import find
from capacity.settings.target import Target
from capacity.settings.targets.certificates import Certificates

DIALECT = load_dialect(find("dialects", "url-subscribe"))


def test_target_and_dialect_make_the_endpoint():
    certificates = Certificates(server_name="exchange.example")
    target = Target(
        target=1,
        name="t",
        host="::1",
        port=8443,
        tls=True,
        dialect="url-subscribe",
        channels=("updates",),
        certificates=certificates,
        proxy="http://10.0.0.9:3128",
    )
    spoken = replace(DIALECT.ws, headers={"Cookie": "a=b"}, compression="deflate", open_timeout_s=3)
    endpoint = endpoint_of(target, replace(DIALECT, ws=spoken), ["x", "y"], "::2")

    assert endpoint.url.startswith("wss://[::1]:8443/")
    assert endpoint.url.endswith("x,y")
    assert (("Cookie: a=b",), "::2", 3, True) == (
        endpoint.headers,
        endpoint.source_address,
        endpoint.timeout_s,
        endpoint.offers_compression,
    )
    assert (certificates, "http://10.0.0.9:3128") == (endpoint.certificates, endpoint.proxy)


PLAIN = {
    "target": 1,
    "name": "t",
    "host": "a",
    "dialect": "url-subscribe",
    "channels": ("updates",),
}


@pytest.mark.parametrize(
    ("port", "host"), [(443, "b.example"), (442, "b.example:442"), (8443, "b.example:8443")]
)
def test_a_target_with_the_certificate_of_another_name_is_asked_by_that_name(port, host):
    certified = Target(
        **PLAIN, port=port, tls=True, certificates=Certificates(server_name="b.example")
    )

    assert host == host_by_certificate(certified) == endpoint_of(certified, DIALECT, []).host
    assert host_by_certificate(Target(**PLAIN, port=port)) is None
    own = Target(**PLAIN, port=port, tls=True, certificates=Certificates(), headers={"host": "c"})
    assert (None, "c") == (host_by_certificate(own), endpoint_of(own, DIALECT, []).host)


def test_an_endpoint_that_says_no_more_is_a_plain_websocket():
    plain = Endpoint(url="ws://a", timeout_s=1.0)

    assert (False, False, "websocket", 16_777_216) == (
        plain.offers_compression,
        plain.is_stamped,
        plain.transport,
        plain.max_message_bytes,
    )
    assert {()} == {plain.headers, plain.subprotocols}


def test_what_the_dialect_bounds_holds_for_its_endpoint():
    spoken = replace(DIALECT.ws, max_message_bytes=77, compression="none")
    endpoint = endpoint_of(Target(**PLAIN, port=80), replace(DIALECT, ws=spoken), [])

    assert (77, False, DIALECT.ws.transport, ()) == (
        endpoint.max_message_bytes,
        endpoint.offers_compression,
        endpoint.transport,
        endpoint.headers,
    )
