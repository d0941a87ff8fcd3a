from dataclasses import replace

from capacity.loadgen.wire.endpoint import endpoint_of
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
