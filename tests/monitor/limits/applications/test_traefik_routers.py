"""What routers of Traefik cap, and where."""

import pytest

from capacity.monitor.limits.applications.documents.plain_yaml import parse
from capacity.monitor.limits.applications.traefik_routers import EntryPoint, caps_of

POINTS = [EntryPoint("web", (80,), ()), EntryPoint("api", (81,), ("few",))]
TEXT = """\
http:
  middlewares:
    few: {inFlightReq: {amount: 5}}
    Many: {inFlightReq: {amount: 50}}
    none: {compress: {}}
  routers:
    a: {entryPoints: [WEB], middlewares: [many@file, none, elsewhere@docker]}
    b: {entryPoints: [api]}
    c: {middlewares: [many]}
"""


def test_each_router_caps_its_own_entry_points():
    entries = list(caps_of([parse(TEXT, "/a")], POINTS))

    assert [(entry.name, entry.value, entry.ports) for entry in entries] == [
        ("inFlightReq of router a", 50, (80,)),
        ("inFlightReq of router b", 5, (81,)),
        ("inFlightReq of router c", 5, ()),
        ("inFlightReq of router c", 50, ()),
    ]


@pytest.mark.parametrize(
    ("criterion", "key"),
    [("ipStrategy: {depth: 1}", "address"), ("requestHeaderName: X-Key", "value of a header")],
)
def test_what_counts_by_something_else_is_no_cap(criterion, key):
    more = f"{{amount: 5, sourceCriterion: {{{criterion}}}}}"
    text = f"http: {{middlewares: {{m: {{inFlightReq: {more}}}}}, routers: {{a: {{middlewares: [m]}}}}}}"
    (entry,) = caps_of([parse(text, "/a")], POINTS)

    assert (entry.name, entry.resource) == (f"inFlightReq of router a for each {key}", None)


@pytest.mark.parametrize(("chains", "caps"), [(16, 1), (17, 0)])
def test_a_chain_of_sixteen_chains_is_followed(chains, caps):
    links = ", ".join(f"m{n}: {{chain: {{middlewares: [m{n + 1}]}}}}" for n in range(chains))
    last = f"m{chains}: {{inFlightReq: {{amount: 5}}}}"
    text = f"http: {{middlewares: {{{links}, {last}}}, routers: {{a: {{middlewares: [m0]}}}}}}"

    assert caps == len(list(caps_of([parse(text, "/a")], POINTS)))
