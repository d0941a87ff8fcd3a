"""Every server whose configuration is read, by the names of its program. A new one is added here."""

from collections.abc import Callable, Iterator
from types import ModuleType

from capacity.domain.resources import AuditEntry
from capacity.monitor.limits.applications import (
    apache,
    beam,
    caddy,
    envoy,
    granian,
    gunicorn,
    haproxy,
    jvm,
    lighttpd,
    mariadb,
    memcached,
    mojolicious,
    mosquitto,
    nats,
    nginx,
    ngircd,
    pgbouncer,
    postgresql,
    redis,
    tinyproxy,
    traefik,
    uncapped_servers,
    uvicorn,
    uwsgi,
    vsftpd,
    websocketd,
)
from capacity.monitor.limits.applications.process import Process

Reader = Callable[[Process], Iterator[AuditEntry]]

_SERVERS: tuple[ModuleType, ...] = (
    apache,
    beam,
    caddy,
    envoy,
    granian,
    gunicorn,
    haproxy,
    jvm,
    lighttpd,
    mariadb,
    memcached,
    mojolicious,
    mosquitto,
    nats,
    nginx,
    ngircd,
    pgbouncer,
    postgresql,
    redis,
    tinyproxy,
    traefik,
    uncapped_servers,
    uvicorn,
    uwsgi,
    vsftpd,
    websocketd,
)
READERS: dict[str, Reader] = {name: server.entries for server in _SERVERS for name in server.NAMES}


def program_of(names: tuple[str, ...]) -> str | None:
    """Return which of *names* has a reader."""
    return next((name for name in names if name in READERS), None)
