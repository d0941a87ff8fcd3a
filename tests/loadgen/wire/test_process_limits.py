import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

from capacity.loadgen.wire.process_limits import descriptor_limit, raise_descriptor_limit


def test_the_descriptor_limit_is_raised_to_the_hard_one():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(1000, hard), hard))
    try:
        raised = raise_descriptor_limit()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    assert hard == raised
    assert soft == descriptor_limit()


def test_a_child_ends_when_its_parent_is_killed():
    grandchild = (
        "import os, time\n"
        "from capacity.loadgen.wire.process_limits import die_with_parent\n"
        "die_with_parent(int(os.environ['PARENT']))\n"
        "print(os.getpid(), flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = (
        "import os, subprocess, sys\n"
        "subprocess.run([sys.executable, '-c', sys.argv[1]], "
        "env={**os.environ, 'PARENT': str(os.getpid())})\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", parent, grandchild], stdout=subprocess.PIPE, text=True
    )
    pid = int(process.stdout.readline())
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    deadline_s = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline_s:
        time.sleep(0.02)

    assert not Path(f"/proc/{pid}").exists()
