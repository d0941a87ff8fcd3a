"""Headless Chromium by its DevTools protocol: a page at a size, a theme, a medium; what it says, how it looks."""

import base64
import itertools
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager

import requests
import websocket

ANSWERED_WITHIN_S = 60
OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--hide-scrollbars"),
    *("--remote-debugging-port=0", "--remote-allow-origins=*"),
)
SERIOUS = """axe.run().then(found => found.violations
  .filter(each => ['serious', 'critical'].includes(each.impact))
  .map(each => `${each.id}: ${each.nodes.slice(0, 3).map(node => node.html.slice(0, 120)).join(' ')}`))"""
RUN_TASK = "ThreadControllerImpl::RunTask"


def _is_pages_thread(event):
    return event["name"] == "thread_name" and event["args"]["name"] == "CrRendererMain"


class Page:
    """One tab."""

    def __init__(self, address):
        self._socket = websocket.create_connection(address, timeout=ANSWERED_WITHIN_S)
        self._numbers = itertools.count(1)
        for domain in ("Page", "Runtime", "Log"):
            self.ask(f"{domain}.enable")

    def close(self):
        self._socket.close()

    def ask(self, method, **parameters):
        """Return the browser's answer."""
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self._socket.recv())
            if answer.get("id") == number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]

    def show(self, address, width=1280, height=720, theme="light", medium=""):
        """Load *address* and wait until it is there."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.ask("Emulation.setDeviceMetricsOverride", **size)
        preferred = [{"name": "prefers-color-scheme", "value": theme}]
        self.ask("Emulation.setEmulatedMedia", media=medium, features=preferred)
        self.ask("Page.navigate", url=address)
        self.wait_for("document.readyState === 'complete' && location.href !== 'about:blank'")

    def tell(self, expression):
        """Return what the expression of JavaScript comes to; a promise is waited for."""
        found = self.ask(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        if "exceptionDetails" in found:
            raise RuntimeError(found["exceptionDetails"])
        return found["result"].get("value")

    def wait_for(self, expression, within_s=ANSWERED_WITHIN_S):
        deadline_s = time.monotonic() + within_s
        while not self._holds(expression):
            if time.monotonic() > deadline_s:
                raise TimeoutError(expression)
            time.sleep(0.05)

    def _holds(self, expression):
        try:
            return self.tell(f"!!({expression})")
        except RuntimeError as error:
            if "context" not in str(error):  # Another page is on its way.
                raise
            return False

    def serious(self, axe):
        """Return what axe-core, whose source *axe* is, finds serious or critical on the page."""
        self.tell(f"{axe}; 0")
        return self.tell(SERIOUS)

    def traced(self, seconds):
        """Return wall and processor time, in milliseconds, of each task of the page's thread in *seconds*."""
        config = {"includedCategories": ["toplevel", "disabled-by-default-devtools.timeline"]}
        self.ask("Tracing.start", transferMode="ReportEvents", traceConfig=config)
        time.sleep(seconds)
        self._socket.send(json.dumps({"id": next(self._numbers), "method": "Tracing.end"}))
        events = []
        while (message := json.loads(self._socket.recv())).get(
            "method"
        ) != "Tracing.tracingComplete":
            if message.get("method") == "Tracing.dataCollected":
                events += message["params"]["value"]
        pages = {(e["pid"], e["tid"]) for e in events if _is_pages_thread(e)}
        return [
            (event["dur"] / 1000, event["tdur"] / 1000)
            for event in events
            if (event["pid"], event["tid"]) in pages
            and event["name"] == RUN_TASK
            and "tdur" in event
        ]

    def take(self, path):
        """Write the picture of the screen to *path*."""
        shot = self.ask("Page.captureScreenshot", format="png")
        path.write_bytes(base64.b64decode(shot["data"]))


@contextmanager
def open_page():
    """Yield an empty page. Ends the program with a sentence where Chromium is missing."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        sys.exit("chromium is missing: apt install chromium")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = subprocess.Popen(
            [chromium, *OPTIONS, f"--user-data-dir={profile}", "about:blank"],
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            listening = next(
                found for line in browser.stderr if (found := re.search(r"ws://([^/]+)/", line))
            )
            tabs = requests.get(f"http://{listening[1]}/json", timeout=ANSWERED_WITHIN_S).json()
            [tab] = [tab for tab in tabs if tab["type"] == "page"]
            page = Page(tab["webSocketDebuggerUrl"])
            try:
                yield page
            finally:
                page.close()
        finally:
            browser.terminate()
            browser.communicate(timeout=30)
