"""What the agent says about itself: a sentence a topic, until it holds no longer.

A sentence goes to stderr when its topic comes up, not with every sample, and stands in /v1/info for as
long as it holds.
"""

import sys
import threading


class Notes:
    """Sentences by topic; any thread says, any thread reads."""

    def __init__(self) -> None:
        self._by_topic: dict[str, str] = {}
        self._lock = threading.Lock()

    def say(self, topic: str, sentence: str) -> None:
        """Note *sentence*; it goes to stderr unless the topic is up already."""
        with self._lock:
            is_new = topic not in self._by_topic
            self._by_topic[topic] = sentence
        if is_new:
            _tell(sentence)

    def drop(self, topic: str) -> None:
        """The topic is over, which is told if it was up."""
        with self._lock:
            sentence = self._by_topic.pop(topic, None)
        if sentence is not None:
            _tell(f"over: {sentence}")

    @property
    def sentences(self) -> tuple[str, ...]:
        with self._lock:
            return tuple(self._by_topic.values())


def _tell(sentence: str) -> None:
    print(f"capacity agent: {sentence}", file=sys.stderr, flush=True)  # noqa: T201 - its voice
