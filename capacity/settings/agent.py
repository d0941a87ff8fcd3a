"""The `agent` section of a target file: where the samples of its resources come from."""

import re
import stat
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from capacity.settings.yaml_files.yaml_file import Finding

RULES = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)
ORIGINS = ("url", "listen", "prometheus", "exporters", "local")
_MOST_CHARACTERS = 200
"""Of a label's value."""
_LABEL = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def _is_http(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.port == 0:
        raise ValueError("must be http://HOST:PORT or https://HOST:PORT")
    if parts.username is not None:
        raise ValueError(
            "must not carry credentials; use token_file, or basic_auth_file of exporters and Prometheus"
        )
    if parts.query or parts.fragment:
        raise ValueError("must not carry parameters; name the page without them")
    return url


def _is_base(url: str) -> str:
    return _is_http(url).rstrip("/")


def _are_labels(labels: dict[str, str]) -> dict[str, str]:
    for name, value in labels.items():
        if not _LABEL.fullmatch(name) or not value or len(value) > _MOST_CHARACTERS:
            raise ValueError(
                f"must be names of labels, each with its value of 1 to {_MOST_CHARACTERS} characters"
                f" (got {name[:40]!a}: {value[:40]!a})"
            )
    return labels


Url = Annotated[str, AfterValidator(_is_base)]
PageUrl = Annotated[str, AfterValidator(_is_http)]
"""As it stands: /metrics/ may be another page than /metrics."""
Labels = Annotated[dict[str, str], AfterValidator(_are_labels)]


class MetricsSelection(BaseModel):
    model_config = RULES
    process: Labels = Field(default_factory=dict)
    """Labels that select the target's process, such as groupname: exchange."""
    node: Labels = Field(default_factory=dict)
    """Labels that select the target's host, such as instance: 10.0.0.5:9100."""
    device: str | None = None
    """Interface that the clients are behind; needed where the host has several."""
    token_file: str | None = None
    """File that holds a bearer token for where the metrics are."""
    basic_auth_file: str | None = None
    """File that holds USER:PASSWORD for it in one line, where it asks for basic authentication."""
    ca_file: str | None = None
    """PEM file with the authorities that its certificate is checked against."""

    @model_validator(mode="after")
    def _has_one_credential(self) -> Self:
        if self.token_file is not None and self.basic_auth_file is not None:
            raise ValueError("takes token_file or basic_auth_file, not both")
        return self


class Prometheus(MetricsSelection):
    url: Url
    """Address of the Prometheus server that scrapes the target's host."""
    interval_s: Annotated[float, Field(ge=1, le=15)] = 15.0
    """Its scrape_interval in seconds; plateaus should last several of them."""


class Exporters(MetricsSelection):
    urls: Annotated[tuple[PageUrl, ...], Field(min_length=1, max_length=8)]
    """Addresses of pages in Prometheus' text format, such as http://10.0.0.5:9100/metrics of
    node_exporter, :9256/metrics of process-exporter, or the target's own."""
    interval_s: Annotated[float, Field(ge=0.1, le=60)] = 1.0
    """Time between two scrapes in seconds."""


class Local(BaseModel):
    model_config = RULES
    port: Annotated[int, Field(ge=1, le=65535)]
    """TCP port that the target listens on, on the generator's own host."""


class Agent(BaseModel):
    """Exactly one origin; the other keys are for `url` and `listen`."""

    model_config = RULES
    url: Url | None = None
    """Address of the agent beside the target, such as http://127.0.0.1:9101."""
    listen: str | None = None
    """ADDRESS:PORT of the generator's host for an agent that reaches us and not we it, started with
    --push; beyond loopback it needs token_file."""
    prometheus: Prometheus | None = None
    """A Prometheus server that has the target's metrics, instead of an agent."""
    exporters: Exporters | None = None
    """Exporters to scrape, instead of an agent."""
    local: Local | None = None
    """Sample in the generator's own process: a target on the same host needs no agent."""
    token_file: str | None = None
    """File that holds the agent's token, if it requires one; tokens have no place in this file."""
    ca_file: str | None = None
    """PEM file with the authorities that the agent's certificate is checked against."""
    certificate_file: str | None = None
    """PEM file with our certificate, to listen over TLS."""
    key_file: str | None = None
    """PEM file with its key, not encrypted and readable by no others."""
    allow_plain_http: bool = False
    """Listen without TLS beyond loopback, where the network itself encrypts."""

    @field_validator("listen")
    @classmethod
    def _is_address(cls, text: str | None) -> str | None:
        if text is None:
            return None
        host, _, port = text.rpartition(":")
        try:
            ip_address(host.removeprefix("[").removesuffix("]"))
        except ValueError:
            host = ""
        if not host or not port.isdecimal() or not 1 <= int(port) <= 65535:
            raise ValueError(
                "must be an IP address of this host and a port, such as 127.0.0.1:9102 or "
                f"[::1]:9102 (got {text[:80]!a})"
            )
        return text

    @model_validator(mode="after")
    def _has_one_origin(self) -> Self:
        named = [name for name in ORIGINS if getattr(self, name) is not None]
        if len(named) != 1:
            allowed = f"{', '.join(ORIGINS[:-1])} and {ORIGINS[-1]}"
            raise ValueError(
                f"needs exactly one of {allowed} (got {' and '.join(named) or 'none of them'})"
            )
        return self


def host_and_port(address: str) -> tuple[str, int]:
    """Return the two parts of a checked `listen`."""
    host, _, port = address.rpartition(":")
    return host.removeprefix("[").removesuffix("]"), int(port)


def agent_findings(agent: Agent | None) -> Iterator[Finding]:
    """Yield what is wrong with the section beyond single values."""
    if agent is None:
        return
    if agent.listen is not None:
        yield from _listening_findings(agent, agent.listen)
    elif agent.certificate_file is not None or agent.key_file is not None:
        yield ("agent",), "certificate_file and key_file are of no use without listen"
    if agent.ca_file is not None and agent.url is None:
        yield ("agent", "ca_file"), "is of no use without url"
    if agent.token_file is not None and agent.url is None and agent.listen is None:
        yield ("agent", "token_file"), "is of no use without url or listen"


def _listening_findings(agent: Agent, listen: str) -> Iterator[Finding]:
    host, _port = host_and_port(listen)
    if agent.token_file is None and not ip_address(host).is_loopback:
        yield (
            ("agent", "listen"),
            f"{listen} is reachable from other hosts: add token_file, or listen on 127.0.0.1",
        )
    elif agent.certificate_file is None and not (
        agent.allow_plain_http or ip_address(host).is_loopback
    ):
        yield (
            ("agent", "listen"),
            f"{listen} takes the token in the clear: add certificate_file, or set allow_plain_http",
        )
    if (agent.certificate_file is None) != (agent.key_file is None):
        yield ("agent",), "certificate_file and key_file go together"
    for name in ("token_file", "key_file"):
        file = getattr(agent, name)
        trouble = None if file is None else _trouble_with(Path(file))
        if trouble is not None:
            yield ("agent", name), f"{file}: {trouble}"


def _trouble_with(file: Path) -> str | None:
    try:
        mode = file.stat().st_mode
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    if mode & (stat.S_IROTH | stat.S_IWOTH):
        return f"others may read or write it; chmod o= {file}"
    return None
