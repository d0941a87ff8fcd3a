"""Types what tutorial.md tells to type, and puts what was printed beside it: `make tutorial`.

In a temporary folder, or in the one given, which stays. Files are those that the page shows; lines that end in & go
on until the end. What installs packages is left out. Some four minutes.
"""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

PAGE = Path(__file__).with_name("tutorial.md")
BLOCK = re.compile(r'```(\w+)(?: title="([^"]+)")?\n(.*?)```\n(?:\n```text\n.*?```\n)?', re.DOTALL)
WIDTH, MOST_LINES, KEPT_LINES = 162, 40, 30
LONGEST_S, STARTED_WITHIN_S = 600, 60


def main() -> None:
    """Write the page anew. Ends with a sentence where a command fails."""
    text = PAGE.read_text("utf-8")
    with TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(sys.argv[1] if len(sys.argv) > 1 else name).resolve()
        PAGE.write_text(BLOCK.sub(lambda block: done(block, folder, stack), text), "utf-8")


def done(block: re.Match[str], folder: Path, stack: ExitStack) -> str:
    """Do what a block says in *folder*, and return it with what was printed."""
    language, title, code = block.groups()
    if title:
        written(folder / title, code)
    if language != "sh" or code.startswith("pip "):
        return f"```{language}{f' title={chr(34)}{title}{chr(34)}' if title else ''}\n{code}```\n"
    printed = "".join(typed(line, folder, stack) for line in code.splitlines())
    shown = f"\n```text\n{cut(printed, folder)}```\n" if printed.strip() else ""
    return f"```sh\n{code}```\n{shown}"


def written(path: Path, code: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(code, "utf-8")


def typed(line: str, folder: Path, stack: ExitStack) -> str:
    """Return what *line* printed; of one that ends in & nothing, once its port answers."""
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    if line.endswith("&"):
        start(line.removesuffix("&"), folder, environment, stack)
        return ""
    answer = subprocess.run(
        ["/bin/bash", "-c", line],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=LONGEST_S,
    )
    if answer.returncode:
        sys.exit(f"tutorial: {line}: exit code {answer.returncode}\n{answer.stdout}")
    return answer.stdout


def start(line: str, folder: Path, environment: dict[str, str], stack: ExitStack) -> None:
    [port] = re.findall(r"--(?:listen|port) (\d+)", line)[-1:]
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", int(port))) == 0:
            sys.exit(f"tutorial: port {port} is taken; end what listens there")
    log = stack.enter_context((folder / f"{port}.log").open("w"))
    process = subprocess.Popen(
        ["/bin/bash", "-c", f"exec {line}"], cwd=folder, env=environment, stdout=log, stderr=log
    )
    stack.callback(process.wait, 30)
    stack.callback(process.send_signal, signal.SIGTERM)
    deadline_s = time.monotonic() + STARTED_WITHIN_S
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", int(port))) == 0:
                return
        if process.poll() is not None or time.monotonic() > deadline_s:
            sys.exit(
                f"tutorial: {line}: does not listen on port {port}: {Path(log.name).read_text()}"
            )
        time.sleep(0.1)


def cut(printed: str, folder: Path) -> str:
    """Return the lines without the folder's name, wide and many ones cut at …"""
    lines = [line.rstrip() for line in printed.replace(f"{folder}/", "").splitlines()]
    lines = [line if len(line) <= WIDTH else f"{line[: WIDTH - 1]}…" for line in lines]
    if len(lines) > MOST_LINES:
        lines = [*lines[:KEPT_LINES], " …", *lines[KEPT_LINES - MOST_LINES :]]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
