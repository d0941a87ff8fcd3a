"""How far one connection is between its handshake and its subscriptions."""

from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from capacity.workload.dialects.matching import MISSING
from capacity.workload.dialects.sending import CompiledStep
from capacity.workload.dialects.values import NOTHING


class Opening:
    """The steps of the dialect, one after the other; what the target sends never raises."""

    __slots__ = ("_done", "_steps", "kept", "refusal", "sent_id")

    def __init__(self, steps: Sequence[CompiledStep]) -> None:
        self._steps = steps
        self._done = 0
        self.kept: Mapping[str, Any] = NOTHING
        """Values of answers that later frames may hold."""
        self.refusal: str | None = None
        """Why the target let a step fail."""
        self.sent_id: int | str = 0
        """Of the request that was sent last."""

    @property
    def is_due(self) -> bool:
        """Some step is not done."""
        return self._done < len(self._steps)

    def sendable(self) -> Iterator[CompiledStep]:
        """Yield the steps up to the next that waits for something, that one included."""
        while self.is_due:
            step = self._steps[self._done]
            yield step
            if step.ack is not None or step.text is not None:
                return
            self._done += 1

    def is_text(self, message: bytes) -> bool:
        """Tell whether exactly this text is waited for."""
        return self.is_due and message == self._steps[self._done].text

    def is_answer(self, frame: Any) -> bool:
        """Tell whether *frame* is what is waited for, be it a refusal."""
        ack = self._steps[self._done].ack if self.is_due else None
        if ack is None or not ack.fits(frame):
            return False
        return ack.id_of is None or ack.id_of(frame) == ack.id_type(self.sent_id)

    def readdress(self, frame: Any, ids: Container[Any]) -> None:
        """Take the present step for one that was sent under the one of *ids* that *frame* names."""
        ack = self._steps[self._done].ack
        if ack is not None and ack.id_of is not None and ack.fits(frame):
            answered = ack.id_of(frame)
            if type(answered) is ack.id_type and answered in ids:
                self.sent_id = answered

    def take(self, frame: Any) -> None:
        """Take the answer to the present step; what it lacks is a refusal."""
        step = self._steps[self._done]
        if step.ack is not None and frame is not MISSING:
            self.refusal = step.ack.refusal(frame)
        if self.refusal is not None:
            return
        values = {name: get(frame) for name, get in step.keep.items()}
        absent = [name for name, value in values.items() if value is MISSING]
        if absent:
            self.refusal = f"answered without {', '.join(absent)}"
            return
        if values:
            self.kept = {**self.kept, **values}
        self._done += 1

    @contextmanager
    def refused_for_values(self) -> Iterator[None]:
        """Take it for a refusal where what answers told is not what the next frame needs."""
        try:
            yield
        except ValueError as error:
            self.refusal = f"answered with another value than the next frame needs: {error}"
