"""What a dialect sends: requests, steps before the subscriptions, heartbeats; and how each becomes a frame."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from capacity.workload.dialects.answers import VALIDATION, Ack, CompiledAck, compiled_ack
from capacity.workload.dialects.channel_requests import ChannelRequests
from capacity.workload.dialects.matching import Getter, getter
from capacity.workload.dialects.template import fill, names

Values = Mapping[str, Any]
Frame = Callable[[Values], bytes]
"""Values -> the frame's payload. Raises KeyError for a value that there is not."""
Text = Callable[[bytes], bytes]
Write = Callable[[Any], bytes]
"""A filled template -> the frame's payload."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscribe:
    __pydantic_config__: ClassVar = VALIDATION
    send: Any
    """Template of the request, from {id} and {channels:list}, or {channel} for one frame each.
    {channels:entries} in a list puts the channels among its other entries."""
    ack: Ack | None = None
    """How the target answers."""
    confirm: Literal["ack", "first_data", "none"] = "ack"
    """What proves a subscription: the answer, the first update, or nothing."""
    batch: int = 100
    """Most channels in one frame."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsubscribe:
    __pydantic_config__: ClassVar = VALIDATION
    send: Any
    """Template of the request, as in subscribe."""
    ack: Ack | None = None
    """How the target answers; without it the subscription ends when the request is sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step between the handshake and the subscriptions: something sent, or waited for, or both."""

    __pydantic_config__: ClassVar = VALIDATION
    send: Any = None
    """Template of the request, such as a login."""
    send_text: str | None = None
    """The text to send instead, as it stands."""
    answer: Ack | None = None
    """The frame that is waited for before the next step: the answer, or what the target says first."""
    answer_text: str | None = None
    """A frame of exactly this text instead."""
    keep: Mapping[str, str] = field(default_factory=dict)
    """Name -> path in that frame of a value that later templates may hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """One rule. Exactly one of when, when_text and every_s says when it applies."""

    __pydantic_config__: ClassVar = VALIDATION
    when: Any = None
    """The word connect (once, after the handshake), or a matcher of frames to react to."""
    when_text: str | None = None
    """A frame of exactly this text, which need not be JSON."""
    every_s: float | None = None
    """Interval of unasked sends, in seconds."""
    send: Any = None
    """Template of the frame to send, from {id} and, in an answer, from the frame's own values."""
    send_text: str | None = None
    """The text to send instead, as it stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledRequest:
    """A subscribe or unsubscribe request."""

    send: Any
    batch: int
    ack: CompiledAck | None
    write: Write
    requests: ChannelRequests

    def outcome(self, frame: Any, channels: tuple[str, ...]) -> tuple[list[str], str | None]:
        """Return the channels that the answer *frame* accepts, and why not all if it says so."""
        ack = self.ack
        assert ack is not None
        refusal = ack.refusal(frame)
        if refusal is not None:
            return [], refusal
        if ack.alias is not None and type(ack.alias(frame)) not in {int, str}:
            return [], "answered without the name that updates will carry"
        if ack.accepted is None:
            return list(channels), None
        accepted = ack.accepted(frame)
        if type(accepted) is not list:
            return [], "answered without the list of accepted channels"
        named = {channel for channel in accepted if type(channel) is str}
        asked = {channel: self.requests.of(channel) for channel in channels}
        return [
            channel
            for channel, name in asked.items()
            if name in (named if type(name) is str else accepted)
        ], None

    def about(
        self, channels: tuple[str, ...], aliases: Mapping[Any, str] | None = None
    ) -> Callable[[str, Values], Any]:
        """Return (name, values) -> a value about *channels* that the template may hold.

        *aliases*: channel by the name that its confirmation handed out.
        """

        def named(name: str, values: Values) -> Any:
            if name != "alias":
                return self.requests.named(name, channels, values)
            return {one: alias for alias, one in (aliases or {}).items()}[channels[0]]

        return named

    def frame(self, values: Values) -> bytes:
        return self.write(fill(self.send, values))


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledStep:
    """One step before the subscriptions."""

    frame: Frame | None
    ack: CompiledAck | None
    text: bytes | None
    keep: Mapping[str, Getter]


def compiled_request(
    section: Subscribe | Unsubscribe | None, batch: int, write: Write, requests: ChannelRequests
) -> CompiledRequest | None:
    """Return how a section of a dialect is sent; None without one."""
    if section is None:
        return None
    one_each = "channels" not in names(section.send)
    return CompiledRequest(
        send=section.send,
        batch=1 if one_each else batch,
        ack=compiled_ack(section.ack) if section.ack else None,
        write=write,
        requests=requests,
    )


def compiled_step(step: Step, write: Write, text: Text) -> CompiledStep:
    """Return a step ready to be taken."""
    return CompiledStep(
        frame=sent(step, write),
        ack=compiled_ack(step.answer) if step.answer else None,
        text=None if step.answer_text is None else text(step.answer_text.encode()),
        keep={name: getter(path) for name, path in step.keep.items()},
    )


def sent(rule: Heartbeat | Step, write: Write) -> Frame | None:
    """Return what a rule sends; None where it only waits."""
    if rule.send_text is not None:
        text = rule.send_text.encode()
        return lambda _values: text
    if rule.send is None:
        return None
    return lambda values: write(fill(rule.send, values))
