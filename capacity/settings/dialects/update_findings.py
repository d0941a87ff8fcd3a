"""What is wrong with how a dialect reads updates: messages, matchers, times and numbers."""

import re
from collections.abc import Iterator

from capacity.settings.dialects.book_findings import book_findings
from capacity.settings.dialects.impossible import mqtt_findings
from capacity.settings.dialects.notation import matcher_findings, name_findings, path_findings
from capacity.settings.yaml_files.yaml_file import Finding
from capacity.settings.yaml_files.yaml_nodes import Location
from capacity.workload.dialects.dialect import Data, Dialect
from capacity.workload.dialects.encodings.payload import Messages
from capacity.workload.dialects.sequence import Sequence


def update_findings(dialect: Dialect) -> Iterator[Finding]:
    """Yield what is wrong with how what comes is understood."""
    for n, matcher in enumerate(dialect.ignore):
        yield from matcher_findings(matcher, ("ignore", n))
    yield from _data(dialect)
    is_one = not isinstance(dialect.time, tuple)
    for n, time in enumerate(dialect.times):
        yield from path_findings(time.path, ("time", "path") if is_one else ("time", n, "path"))
    if dialect.time == ():
        yield ("time",), "is empty; leave it out where updates have no time"
    for n, sequence in enumerate(dialect.sequence):
        yield from _sequence(sequence, ("sequence", n))
        yield from book_findings(dialect, sequence, ("sequence", n))


def _data(dialect: Dialect) -> Iterator[Finding]:
    messages, rules = dialect.messages, dialect.updates
    if not rules and messages.content != "opaque":
        yield ("data",), "needs a rule; only where messages.content is opaque there may be none"
    for n, rule in enumerate(rules):
        place: Location = ("data",) if isinstance(dialect.data, Data) else ("data", n)
        yield from matcher_findings(rule.where, (*place, "where"))
        yield from name_findings(rule.key, (*place, "key"))
        yield from path_findings(rule.items, (*place, "items"))
    if messages.list != "$":
        yield from path_findings(messages.list, ("messages", "list"))
    if messages.pattern is not None:
        yield from _pattern(messages)
    if messages.content == "mqtt":
        yield from mqtt_findings(dialect)


def _pattern(messages: Messages) -> Iterator[Finding]:
    place: Location = ("messages", "pattern")
    try:
        compiled = re.compile(messages.pattern or "")
    except re.error as error:
        yield place, f"no regular expression: {error}"
        return
    if not compiled.groupindex:
        yield place, "has no named group; name what is to be read, as in (?P<channel>[^ ]+)"
    if messages.divider != "none":
        yield place, "divides messages by itself; leave out messages.divider"
    if messages.content != "json":
        yield place, f"is of no use where messages.content is {messages.content}"


def _sequence(rule: Sequence, place: Location) -> Iterator[Finding]:
    if rule.rule not in {"checksum", "none"} and rule.seq is None:
        yield place, f"rule {rule.rule} needs seq"
    if rule.rule == "prev_link" and rule.prev is None:
        yield place, "rule prev_link needs prev"
    if rule.rule != "prev_link" and rule.prev is not None:
        yield (*place, "prev"), f"rule {rule.rule} has no use for it; prev_link has"
    if rule.rule == "range" and rule.first is None:
        yield place, "rule range needs first"
    if rule.rule != "range" and rule.first is not None:
        yield (*place, "first"), f"rule {rule.rule} has no use for it; range has"
    yield from _numbered_others(rule, place)
    yield from path_findings(rule.seq, (*place, "seq"))
    yield from path_findings(rule.prev, (*place, "prev"))
    yield from path_findings(rule.first, (*place, "first"))
    if rule.snapshot:
        if rule.snapshot.missing is None and rule.snapshot.where is None:
            yield (*place, "snapshot"), "needs missing or where"
        yield from path_findings(rule.snapshot.missing, (*place, "snapshot", "missing"))
        yield from matcher_findings(rule.snapshot.where or {}, (*place, "snapshot", "where"))


def _numbered_others(rule: Sequence, place: Location) -> Iterator[Finding]:
    if rule.where is None:
        return
    yield from matcher_findings(rule.where, (*place, "where"))
    if rule.scope != "connection" or rule.rule in {"none", "prev_link"}:
        yield (*place, "where"), "needs scope: connection and a rule that counts numbers"
    if rule.only != "*":
        yield (*place, "only"), "is of no use beside where: such frames have no channel"
