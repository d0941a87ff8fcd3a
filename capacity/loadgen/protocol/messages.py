"""The messages between master and workers, by name. Their bodies are plain msgpack data."""

CHECK_IN = "capacity_check_in"
"""Master to one worker: say who you are and what time it is, before you get instructions."""

PRESENT = "capacity_present"
"""Worker to master: the answer."""

BEGIN = "capacity_begin"
"""Master to workers: the target, its dialect and what all stages share."""

STAGE = "capacity_stage"
"""Master to one worker: its share of the stage that begins now."""

COUNTS = "capacity_counts"
"""Worker to master: the counters since the last report, and the gauges of this moment."""

END = "capacity_end"
"""Master to workers: the run is over, close everything."""
