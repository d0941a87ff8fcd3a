"""nginx: worker_connections, of which a client that is passed on takes two, times the workers.

ngx_core_module, ngx_http_upstream_module and ngx_http_limit_conn_module of nginx's documentation.
Of its connections a worker keeps one for the channel to the master, one for each address that it
listens on, and one for nchan's pipe where that module is loaded (found by filling nginx 1.22).
"""

import os
from collections.abc import Iterator

from capacity.domain.resources import AuditEntry, Scaling
from capacity.monitor.limits.applications.directives import Directive
from capacity.monitor.limits.applications.entries import cap, told
from capacity.monitor.limits.applications.nginx_syntax import tree
from capacity.monitor.limits.applications.process import Process, options
from capacity.monitor.limits.applications.settings import Setting

NAMES = frozenset({"nginx", "openresty", "tengine"})
DEFAULT_CONNECTIONS = 512
_USUAL = ("/etc/nginx/nginx.conf", "/usr/local/nginx/conf/nginx.conf")
_OPENRESTY = ("/usr/local/openresty/nginx/conf/nginx.conf", "/etc/openresty/nginx.conf")
_PASSES = ("proxy_pass", "fastcgi_pass", "grpc_pass", "scgi_pass", "uwsgi_pass", "memcached_pass")
_PREFIX = "/usr/share/nginx"


def entries(process: Process) -> Iterator[AuditEntry]:
    words = _words(process)
    given = dict(options(words, ("-c", "-p")))
    base = process.files.absolute(given.get("-p", _PREFIX), "/")
    if "-c" in given:
        path = process.files.absolute(given["-c"], base)
    else:
        path = process.first_existing((*_USUAL, *_OPENRESTY))
    main = tree(process, path, os.path.dirname(path))  # noqa: PTH120 - a path of another root
    setting = _last(main, "worker_connections") or Setting(
        "worker_connections", str(DEFAULT_CONNECTIONS), f"{path} (the default, as none is set)"
    )
    workers = _workers(process, main)
    own = _own(process, main)
    yield told("worker_connections", setting.number(), setting.source)
    descriptors = _last(main, "worker_rlimit_nofile")
    if descriptors is not None:
        yield told(
            "worker_rlimit_nofile",
            descriptors.number(),
            descriptors.source,
            unit="descriptors",
        )
    for slots, ports in _slots(main).items():
        room = max(0, setting.number() - own) // slots
        how = f"{workers} workers" if workers > 1 else "1 worker"
        passed = ", 2 for each client as it is passed on" if slots > 1 else ""
        is_dealt = workers > 1 and any("reuseport" in each.words for each in main.all("listen"))
        by_chance = ", at best as reuseport deals clients out by chance" if is_dealt else ""
        yield cap(
            "connections of the workers",
            room * workers,
            f"{setting.source} ({how}{passed}, less {own} of a worker's own{by_chance})",
            ports,
        )
    yield from _upstreams(main, workers)
    yield from _per_key(main)


def _words(process: Process) -> list[str]:
    """Return the command line, which a master shows behind a title of its own."""
    title = process.words[0]
    if title.startswith("nginx: master process "):
        return title.removeprefix("nginx: master process ").split()[1:]
    return list(process.words[1:])


def _last(main: Directive, name: str) -> Setting | None:
    found = None
    for directive in main.all(name):
        found = Setting(name, directive.text, directive.where)
    return found


def _workers(process: Process, main: Directive) -> int:
    setting = _last(main, "worker_processes") or Setting("worker_processes", "1", "")
    if process.workers:
        # As they live: `auto` depends on the host, and cache managers are none.
        return process.workers
    return (os.cpu_count() or 1) if setting.text == "auto" else max(1, setting.number())


def _own(process: Process, main: Directive) -> int:
    alone = any(each.text == "off" for each in main.all("master_process"))
    listening = process.listening or len({each.words[:1] for each in main.all("listen")}) or 1
    nchan = any("nchan" in each.text for each in main.all("load_module"))
    unseen = sum(
        each.text.startswith("unix:") or "udp" in each.words for each in main.all("listen")
    )
    return (0 if alone else 1) + listening + (unseen if process.listening else 0) + nchan


def _slots(main: Directive) -> dict[int, tuple[int, ...]]:
    """Return what a client takes of a worker's connections, and on which ports; () is all."""
    by_slots: dict[int, set[int]] = {}
    for server in main.all("server"):
        if server.block:
            slots = 2 if next(server.all(*_PASSES), None) is not None else 1
            by_slots.setdefault(slots, set()).update(ports_of(server))
    if not by_slots:
        return {1: ()}
    if len(by_slots) == 1:
        return dict.fromkeys(by_slots, ())
    # Where both kinds of servers share a port, a client may take two.
    by_slots[1] -= by_slots[2]
    return {slots: tuple(sorted(ports)) for slots, ports in by_slots.items() if ports}


def ports_of(server: Directive) -> set[int]:
    """Return the TCP ports that a server block listens on: 80 where it does not say."""
    listens = [each for each in server.block if each.name == "listen" and each.words]
    ports = set()
    for listen in listens:
        address = listen.words[0]
        tail = address.rpartition("]")[2] if address.startswith("[") else address
        port = tail.rpartition(":")[2] if ":" in tail else tail
        if address.startswith("unix:"):
            continue
        ports.add(int(port) if port.isascii() and port.isdigit() and len(port) < 6 else 80)
    return ports if listens else {80}


def _upstreams(main: Directive, workers: int) -> Iterator[AuditEntry]:
    """Yield what the upstreams of a server admit, where each of them has a cap."""
    caps = {
        each.words[0]: found
        for each in main.all("upstream")
        if each.words and (found := _upstream_cap(each, workers)) is not None
    }
    for server in main.all("server"):
        passed = [each.words[0] for each in server.all(*_PASSES) if each.words]
        named = {each.partition("://")[2].partition("/")[0] or each for each in passed}
        if server.block and named and named <= caps.keys():
            total = sum(caps[name][0] for name in named)
            places = "; ".join(caps[name][1] for name in sorted(named))
            yield cap("max_conns of the upstream", total, places, ports_of(server))


def _upstream_cap(upstream: Directive, workers: int) -> tuple[int, str] | None:
    shared = any(each.name == "zone" for each in upstream.block)
    found = [
        Setting("max_conns", word.partition("=")[2], server.where)
        for server in upstream.block
        if server.name == "server" and "backup" not in server.words and "down" not in server.words
        for word in server.words
        if word.startswith("max_conns=") and word != "max_conns=0"
    ]
    servers = [
        each
        for each in upstream.block
        if each.name == "server" and "backup" not in each.words and "down" not in each.words
    ]
    if not found or len(found) < len(servers):
        return None
    total = sum(setting.number() for setting in found)
    each = "" if shared or workers == 1 else f" in each of {workers} workers, as there is no zone"
    return total * (1 if shared else workers), ", ".join(s.source for s in found) + each


def _per_key(main: Directive) -> Iterator[AuditEntry]:
    """Yield limit_conn, which counts by a key: an address, a name."""
    keys = {
        word.removeprefix("zone=").partition(":")[0]: zone.words[0]
        for zone in main.all("limit_conn_zone")
        for word in zone.words
        if word.startswith("zone=") and zone.words
    }
    for limit in main.all("limit_conn"):
        if len(limit.words) == 2:
            setting = Setting("limit_conn", limit.words[1], limit.where)
            key = keys.get(limit.words[0], "a key")
            yield told(
                f"limit_conn for each {key}",
                setting.number(),
                setting.source,
                scales_with=Scaling.CONNECTIONS,
            )
