"""An agent whose readings are told, and what is asked of it."""

import runpy
from pathlib import Path

from capacity.domain.resources import Resource
from capacity.settings.dialect import load_dialect
from capacity.settings.locate import find

DIALECT = load_dialect(find("dialects", "deribit"))
AGENT = runpy.run_path(str(Path(__file__).parents[2] / "agent_samples.py"))
sample_of = AGENT["sample_of"]
INFO = AGENT["agent_info"](target_name="other")
COUNTS = {"application_connections", "descriptors", "threads"}


class Told:
    """A source with these samples and no others."""

    name, delay_s = "the source", 1.0

    def __init__(self, *samples, delay_s=1.0):
        self.asked, self._samples = [], samples
        self.delay_s = delay_s

    def samples(self, since):
        self.asked.append(since)
        return [sample for sample in self._samples if sample.seq > since]


def sample(seq=1, interval_s=1.0, **used):
    return sample_of(
        seq,
        interval_s=interval_s,
        used={Resource(name): value for name, value in used.items()},
        missing=dict.fromkeys(COUNTS - used.keys(), "not published"),
    )
