"""The agent with a census of connections five times a second, so that no test waits two for one."""

import runpy

from capacity.monitor.collectors import connections

connections._CENSUS_S, connections._CENSUS_COST_RATIO = 0.2, 0.02
runpy.run_module("capacity.monitor", run_name="__main__", alter_sys=True)
