"""Loaded by every Python of a trial: a clock that can be set, and a tongue that can turn hostile.

What is asked for stands in a small file that is shared with the campaign (`control.py`). The clock is
`time.time` of this process alone: no other process of the machine sees another hour.
"""

import os
import time

from control import Control

if path := os.environ.get("CHAOS_CONTROL"):
    control = Control(path)
    real_time, real_time_ns = time.time, time.time_ns
    time.time = lambda: real_time() + control.clock_s
    time.time_ns = lambda: real_time_ns() + round(control.clock_s * 1e9)
    if role := os.environ.get("CHAOS_ROLE"):
        from hostile import turn

        turn(role, control)
