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


class Page:
    """One tab."""

    def __init__(self, address):
        self._socket = websocket.create_connection(address, timeout=ANSWERED_WITHIN_S)
        self._numbers = itertools.count(1)
        for domain in ("Page", "Runtime", "Log"):
            self.ask(f"{domain}.enable")

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
        while not self.tell(expression):
            if time.monotonic() > deadline_s:
                raise TimeoutError(expression)
            time.sleep(0.05)

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
            yield Page(tab["webSocketDebuggerUrl"])
        finally:
            browser.terminate()
            browser.communicate(timeout=30)
