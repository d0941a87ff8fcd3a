"""Which addresses of the generator's own host its connections leave from."""

from collections.abc import Iterable, Iterator
from ipaddress import ip_network
from typing import Annotated

from pydantic import AfterValidator

from capacity.settings.yaml_files.yaml_file import Finding

MOST_SOURCE_ADDRESSES = 1024


def _is_network(text: str) -> str:
    # With a zone, an address is one interface's; bind(2) wants that as a number of this host.
    try:
        network = ip_network(text)
    except ValueError:
        network = None
    if network is None or network.is_multicast or network[0].is_unspecified or "%" in text:
        raise ValueError(
            "must be an IP address of this machine, or a network of them such as 127.0.1.0/28 with "
            f"no bit set behind the slash's (got {text[:80]!a})"
        )
    return text


Network = Annotated[str, AfterValidator(_is_network)]


def addresses_in(networks: Iterable[str]) -> tuple[str, ...]:
    """Return each address that *networks* have for hosts, once."""
    return tuple(
        dict.fromkeys(str(address) for text in networks for address in ip_network(text).hosts())
    )


def address_findings(texts: tuple[str, ...]) -> Iterator[Finding]:
    """Yield what is wrong with networks that belong together."""
    networks = [ip_network(text) for text in texts]
    count = 0
    for n, network in enumerate(networks):
        where = ("source_addresses", n)
        count += network.num_addresses
        if network.version != networks[0].version:
            yield where, f"{texts[n]} and {texts[0]}: must all be IPv4 or all be IPv6"
        elif any(network.overlaps(other) for other in networks[:n]):
            yield where, f"{texts[n]} holds addresses listed before"
    if count > MOST_SOURCE_ADDRESSES:
        yield (
            ("source_addresses",),
            f"are {count} addresses, at most {MOST_SOURCE_ADDRESSES} are used; give smaller networks",
        )
