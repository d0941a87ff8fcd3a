"""Lays the documents out as a site and builds it: `make site`, into build/site, or under the folder given.

The pages are the files of the repository under their own paths, with what they link to: nothing is
rewritten, so that a link that works in a checkout works on the site. Any that leads nowhere ends the build.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGES = {
    "Start": "README.md",
    "Tutorial": "docs/tutorial.md",
    "How to": {
        "Load your own service": "docs/own-service.md",
        "Describe a new protocol": "docs/dialects.md",
        "Write a user class": "docs/own-user.md",
        "Gate a release in CI": "docs/how-to/ci-gate.md",
        "Run in Kubernetes": "docs/how-to/kubernetes.md",
        "Load from several hosts": "config/deploy/README.md",
        "Watch production without load": "docs/how-to/production.md",
    },
    "Reference": {
        "Every key of config/": "config/README.md",
        "The agent": "config/deploy/agent.md",
        "The bundled exchange": "docs/bundled-exchange.md",
        "Connection limits of servers": "docs/connection-limits.md",
        "What listens where": "SECURITY.md",
    },
    "Understand": {
        "Read a report": "reports/README.md",
        "Beside k6, Gatling and Locust": "docs/comparison.md",
        "Other people's servers": "docs/interop.md",
        "Limits of the method": "docs/limits.md",
        "Museum of outages": "docs/museum.md",
        "What was measured": "reports/measured.md",
        "Chaos, run by run": "reports/chaos/README.md",
        "Accuracy, case by case": "reports/validation/README.md",
    },
    "Contribute": {
        "How": ".github/CONTRIBUTING.md",
        "Architecture": "capacity/README.md",
        "Changes": "CHANGELOG.md",
    },
}
_LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)")
_VISIBLE = {".github": "github"}
"""The builder leaves out what begins with a dot."""


def main() -> None:
    """Build the site. Ends with the builder's own words and exit code where it is not clean."""
    build = ROOT / "build" if len(sys.argv) < 2 else Path(sys.argv[1])
    source = build / "site-source"
    lay_out(source / "pages")
    settings = source / "mkdocs.yml"
    shutil.copy(Path(__file__).with_name("mkdocs.yml"), settings)
    with settings.open("a", encoding="utf-8") as file:
        file.write(f"nav:\n{navigation(PAGES)}")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet"]
    built = build / "site"
    code = subprocess.run(
        [*command, "--config-file", str(settings), "--site-dir", str(built)],
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        check=False,
    ).returncode
    if code:
        sys.exit(code)
    sys.stdout.write(f"{built}/index.html\n")


def pages(tree: dict[str, object]) -> list[str]:
    """Return the paths of *tree*, in order."""
    found = []
    for value in tree.values():
        found += pages(value) if isinstance(value, dict) else [str(value)]
    return found


def navigation(tree: dict[str, object], depth: int = 0) -> str:
    """Return *tree* as the builder's YAML."""
    text = ""
    for title, value in tree.items():
        text += f"{'  ' * depth}- {title}:"
        nested = isinstance(value, dict)
        text += f"\n{navigation(value, depth + 1)}" if nested else f" {shown(str(value))}\n"
    return text


def shown(path: str) -> str:
    """Return the path on the site."""
    return "/".join(_VISIBLE.get(part, part) for part in path.split("/"))


def lay_out(folder: Path) -> None:
    """Copy the pages and the files they link to into *folder*."""
    shutil.rmtree(folder, ignore_errors=True)
    for own in ("docs/site.css", "docs/site.js"):
        copied(Path(own), folder)
    for page in pages(PAGES):
        text = (ROOT / page).read_text("utf-8")
        for link in _LINK.findall(text):
            linked = (ROOT / page).parent.joinpath(link).resolve()
            if linked.is_file() and linked.suffix != ".md":
                copied(linked.relative_to(ROOT), folder)
        copied(Path(page), folder).write_text(text.replace("](.github/", "](github/"), "utf-8")


def copied(path: Path, folder: Path) -> Path:
    """Return the copy of *path* in *folder*."""
    copy = folder / shown(path.as_posix())
    copy.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / path, copy)
    return copy


if __name__ == "__main__":
    main()
