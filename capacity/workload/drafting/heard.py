"""A recording as parsed frames, and which of them are updates."""

from dataclasses import dataclass, replace
from typing import Any

import orjson

from capacity.domain.errors import ConfigError
from capacity.workload.dialects.encodings.payload import looks_packed, readable
from capacity.workload.dialects.matching import MISSING, getter
from capacity.workload.drafting.asking import id_path
from capacity.workload.drafting.following import Following, following
from capacity.workload.drafting.recorded_session import Frame, Session


@dataclass(slots=True)
class Heard:
    """A recording, parsed."""

    frames: list[tuple[Frame, Any]]
    following: Following
    updates: set[int]
    """Numbers of the frames that are updates."""

    def ids(self) -> list[Any]:
        """Return the ids of the client's requests up to its last subscription."""
        asked = [tree for frame, tree in self.frames if frame.is_ours and tree is not MISSING]
        last = max(
            (n for n, tree in enumerate(asked) if b"ubscribe" in orjson.dumps(tree).lower()),
            default=0,
        )
        paths = [(id_path(tree), tree) for tree in asked[: last + 1]]
        return [getter(path)(tree) for path, tree in paths if path is not None]

    def theirs(self) -> list[tuple[int, Any]]:
        """Return the server's frames that are JSON and no updates, with their numbers."""
        return [
            (n, tree)
            for n, (frame, tree) in enumerate(self.frames)
            if not frame.is_ours and tree is not MISSING and n not in self.updates
        ]


def shape(tree: Any) -> str:
    """Return what frames of one kind have alike."""
    if type(tree) is list:
        return f"list of {len(tree)}"
    words = [
        f"{key}={value}" for key, value in tree.items() if type(value) is str and len(value) < 20
    ]
    ids = {key for key in tree if key.lower() in {"id", "req_id", "reqid"}}
    return " ".join(sorted({*tree, *(word for word in words if word.partition("=")[0] not in ids)}))


def unpacked(session: Session) -> tuple[Session, str | None]:
    """Return *session* with the server's frames unpacked, and how they are packed; None where they are not."""
    theirs = [frame.payload for frame in session.frames if not frame.is_ours]
    packing = next(filter(None, map(looks_packed, theirs)), None)
    frames = tuple(
        frame if frame.is_ours else replace(frame, payload=readable(frame.payload))
        for frame in session.frames
    )
    return (session, None) if packing is None else (replace(session, frames=frames), packing)


def parsed(session: Session) -> Heard:
    """Return *session* parsed. Raises ConfigError where it holds no update."""
    frames: list[tuple[Frame, Any]] = []
    for frame in session.frames:
        try:
            tree = orjson.loads(frame.payload)
        except orjson.JSONDecodeError:
            tree = MISSING
        frames.append((frame, tree if type(tree) in {dict, list} else MISSING))
    ours = [tree for frame, tree in frames if frame.is_ours and tree is not MISSING]
    numbers = [
        n for n, (frame, tree) in enumerate(frames) if not frame.is_ours and tree is not MISSING
    ]
    found = following(ours, [frames[n][1] for n in numbers])
    if found is None:
        first = next((frame.payload for frame in session.frames if not frame.is_ours), b"")
        packed = looks_packed(first)
        hint = (
            f"they look packed by {packed}: write messages: {{packing: {packed}}} into a dialect by hand"
            if packed
            else "text that is no JSON needs messages.pattern; stomp.yaml and nats.yaml show how"
            if first
            else "record longer, until updates come"
        )
        raise ConfigError(f"the recording holds no update that is JSON; {hint}")
    return Heard(frames=frames, following=found, updates={numbers[n] for n in found.updates})
