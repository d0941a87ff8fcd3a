"""`python -m capacity.monitor`: the agent where the package's other parts are not installed."""

import sys

from capacity.monitor.agent import main

if __name__ == "__main__":
    sys.exit(main())
