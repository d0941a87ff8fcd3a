"""What a story of a dialect is: what the client says first, then what it hears and makes of it."""

from dataclasses import dataclass

from capacity.workload.conversation import Kind

NOW_MS = 1_700_000_000_000


@dataclass(frozen=True, kw_only=True)
class Story:
    """One connection that follows *follows*, channel and symbol."""

    name: str
    follows: tuple[tuple[str, str], ...]
    says: tuple[object, ...]
    """First frames of the client."""
    hears: tuple[tuple[object, Kind, object], ...]
    """Frame of the target, what it is, and the answer (the updates missing, for an update)."""
    published_at: float | None = None
    """Of the last update, epoch seconds."""


DATA, ACK, HEARTBEAT, IGNORED, REJECTED = (
    Kind.DATA,
    Kind.ACK,
    Kind.HEARTBEAT,
    Kind.IGNORED,
    Kind.REJECTED,
)
NOW_S = NOW_MS // 1000
GATE_KEY = "5f9c1b7a2e4d4c0f9a6b3d8e7c1f2a40"
VALUES = {
    "connection": 0,
    "nonce": "n0n",
    "key_name": "organizations/o/apiKeys/k",
    "now_s": NOW_S,
    "now_ms": NOW_MS,
    "now_us": 1_706_514_903_262_000,
    "api_key": GATE_KEY,
    "api_secret": "secret",
    "secret_key": "secret",
    "passphrase": "open sesame",
}
