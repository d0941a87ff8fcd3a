"""What is wrong with a dialect's signatures, and with a private key that a target file gives for one."""

import re
from collections.abc import Iterator, Sequence

from capacity.settings.dialects.notation import place_findings
from capacity.settings.dialects.sending_findings import known_later
from capacity.settings.yaml_files.yaml_file import Finding
from capacity.settings.yaml_files.yaml_nodes import Location
from capacity.workload.dialects.channel_requests import PART
from capacity.workload.dialects.dialect import Dialect
from capacity.workload.dialects.private_key import signer
from capacity.workload.dialects.signature import Signature
from capacity.workload.dialects.template import names
from capacity.workload.dialects.values import BUILT_IN, handshake_signatures

_TEMPLATES = ("key", "text", "claims", "header")
_NAME = re.compile(r"\{(\w+)\}")


def signature_findings(dialect: Dialect) -> Iterator[Finding]:
    """Yield what is wrong with how values are signed."""
    early = handshake_signatures(dialect)
    for name, signature in dialect.signatures.items():
        place: Location = ("signatures", name)
        yield from _form(signature, place)
        if signature.has_private_key:
            yield from _private_key(signature, place, dialect)
        for key in _TEMPLATES:
            parts = (each for each in names(signature.text) if each.startswith(PART))
            known_then = (*known_later(dialect), "channel", *parts)
            if name in early:
                known_then = (*BUILT_IN, *dialect.needs, *dialect.signatures)
            others = tuple(each for each in known_then if each != name)
            yield from place_findings(getattr(signature, key), (*place, key), *others)


def wrong_keys(dialect: Dialect, name: str, texts: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Yield the first of *texts*, given for *name* of `needs`, that is no key for what it signs, and why.

    Nothing of a key is told.
    """
    for signature in dialect.signatures.values():
        if not signature.has_private_key or signature.key != f"{{{name}}}":
            continue
        for n, text in enumerate(texts):
            try:
                signer(signature.function, text)
            except ValueError as error:
                yield n, str(error)
                return


def _form(signature: Signature, place: Location) -> Iterator[Finding]:
    function = signature.function
    given, other = ("claims", "text") if signature.is_token else ("text", "claims")
    if not getattr(signature, given):
        yield place, f"{function} needs {given}"
    if getattr(signature, other):
        yield (*place, other), f"{function} has no use for it; it has {given}"
    for name in {"alg", "typ"} & signature.header.keys():
        yield (*place, "header", name), f"is {function}'s own; leave it out"
    if signature.is_token:
        if signature.lifetime_s is not None and signature.lifetime_s < 1:
            yield (*place, "lifetime_s"), f"must be 1 or more (got {signature.lifetime_s})"
        return
    for key, value in (("header", signature.header or None), ("lifetime_s", signature.lifetime_s)):
        if value is not None:
            yield (*place, key), f"{function} has no use for it; a jwt has"


def _private_key(signature: Signature, place: Location, dialect: Dialect) -> Iterator[Finding]:
    named = _NAME.fullmatch(signature.key)
    if named is None or named[1] not in dialect.needs:
        wrong = (
            f"{signature.function} needs a private key, which belongs in no dialect: put the name of one of"
            " `needs` here, such as {private_key}, and give the target file its value by {file: PATH}"
        )
        yield (*place, "key"), wrong
