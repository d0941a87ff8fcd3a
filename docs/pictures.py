"""Takes the pictures of this folder anew: `make pictures`, with Chromium, on an idle machine.

web.png is the tab of Locust's web UI late in a demonstration of its own; report.png is the first screen
of reports/example/report.html.
"""

import re
import shutil
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import requests
from PIL import Image

from capacity.cli.running.bundled import start_bundled_target

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
REPORT = ROOT / "reports" / "example" / "report.html"
SHOWN_STEP, SHOWN_S, PAINTED_MS, COLORS = 12, 600, 8_000, 128


def main() -> None:
    """Write both pictures. Ends with a sentence where Chromium is missing or the run does not end."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        sys.exit("pictures: chromium is missing: apt install chromium")
    with TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        take(chromium, folder, REPORT.as_uri(), DOCS / "report.png", width=1280, height=720)
        target = start_bundled_target(stack, folder, ["--descriptor-limit", "4096"])
        page = start_web_page(stack, folder, target)
        wait_until_filled(page)
        take(chromium, folder, f"{page}/?tab=capacity", DOCS / "web.png", width=1250, height=1000)


def start_web_page(stack: ExitStack, folder: Path, target: Path) -> str:
    """Start Locust as the README says, but on free ports, and return the page's address."""
    web, workers = free_port(), free_port()
    options = {
        "--config": ROOT / "config" / "locust.conf",
        "--locustfile": ROOT / "locustfiles",
        "--web-port": web,
        "--master-bind-port": workers,
        "--master-port": workers,
        "--capacity-target": target,
    }
    words = [str(word) for option in options.items() for word in option]
    log = stack.enter_context((folder / "locust.log").open("w"))
    locust = subprocess.Popen(
        [sys.executable, "-m", "locust", "--autostart", *words], stdout=log, stderr=log, cwd=folder
    )
    stack.callback(locust.wait, 30)
    stack.callback(locust.terminate)
    return f"http://127.0.0.1:{web}"


def wait_until_filled(page: str) -> None:
    """Return late in the run, while the page has all of its parts."""
    deadline_s = time.monotonic() + SHOWN_S
    while time.monotonic() < deadline_s:
        time.sleep(1)
        try:
            state = requests.get(f"{page}/capacity/data", timeout=5).json()
        except requests.ConnectionError:  # Not yet listening.
            continue
        step = re.match(r"Running, step (\d+)", state["status"])
        if step and int(step[1]) >= SHOWN_STEP:
            return
        if state["is_bad"] or (state["exit_code"] is not None and not state["is_busy"]):
            sys.exit(f"pictures: {state['status']}, before step {SHOWN_STEP}")
    sys.exit(f"pictures: no step {SHOWN_STEP} within {SHOWN_S} s")


def take(chromium: str, folder: Path, url: str, picture: Path, *, width: int, height: int) -> None:
    """Have *chromium* paint *url* into *picture*."""
    subprocess.run(
        [
            *(chromium, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"),
            *(f"--user-data-dir={folder / 'chromium'}", f"--window-size={width},{height}"),
            *(f"--virtual-time-budget={PAINTED_MS}", f"--screenshot={picture}", url),
        ],
        check=True,
        capture_output=True,
        timeout=120,
    )
    shrink(picture)
    sys.stdout.write(f"{picture}: {picture.stat().st_size / 1024:.0f} KiB\n")


def shrink(picture: Path) -> None:
    """Keep the 128 colours that a page of few colours and smoothed letters needs."""
    painted = Image.open(picture).convert("RGB")
    painted.quantize(COLORS, dither=Image.Dither.NONE).save(picture, optimize=True)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


if __name__ == "__main__":
    main()
