"""A report's page taken apart: what it shows on the first screen and in its proofs, and its numbers."""

import re
from html.parser import HTMLParser

FACTORS = {"bytes": 1.0, "KiB": 1024.0, "MiB": 1024.0**2, "GiB": 1024.0**3, "millicores": 1e-3}
AMOUNT = r"([\d.,]+) ([A-Za-z]+)"
ANSWERS = ("sizing", "storm", "exhaustion")


class Parts(HTMLParser):
    """The first screen's text, and by resource the cells and paragraphs of its proof."""

    def __init__(self, page):
        super().__init__()
        self.proofs, self.walls, self.text = {}, [], []
        self.answers = {name: {"rows": [], "said": []} for name in ANSWERS}
        self.path, self.caption, self.row = [], "", []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.path.append((tag, dict(attrs)))
        if tag == "tr":
            self.row = []

    def handle_endtag(self, tag):
        while self.path and self.path.pop()[0] != tag:
            pass
        inside = {values.get("id") or values.get("class") for _, values in self.path}
        if tag == "tr" and "proof" in inside and self.row:
            self._proof(inside)["rows"].append(self.row)
        if tag == "tr" and "walls" in inside and self.row:
            self.walls.append(self.row)

    def _proof(self, inside):
        answer = next((name for name in ANSWERS if name in inside), None)
        return self.proofs[self.caption] if answer is None else self.answers[answer]

    def handle_data(self, data):
        tags = [tag for tag, _ in self.path]
        inside = {values.get("id") or values.get("class") for _, values in self.path}
        text = data.strip()
        if not text or "style" in tags:
            return
        if "figcaption" in tags:
            self.caption = text.partition(": reaches its limit")[0].lower()
            self.proofs[self.caption] = {"rows": [], "said": []}
        elif "td" in tags:
            self.row.append(text)
        elif "proof" in inside and "p" in tags:
            self._proof(inside)["said"].append(text)
        elif inside & {"capacity", "bottleneck"} and "svg" not in tags:
            self.text.append(text)


def number(text):
    return float(text.replace(",", ""))


def amount(text):
    value, unit = re.match(AMOUNT, text).groups()
    return number(value) * FACTORS.get(unit, 1.0)


def numbers_in(text):
    return [number(each) for each in re.findall(r"\d[\d,]*\.?\d*", text)]


def line_with(lines, *words):
    (found,) = [line for line in lines if all(word in line for word in words)]
    return found
