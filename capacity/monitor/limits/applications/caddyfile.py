"""The Caddyfile: sites and their directives, with the files and snippets that they import.

Caddy's documentation of its concepts: words, texts in quotes, a block from a { at a line's end to a } of
its own. A placeholder ({$NAME}) is a word like any other, and so no number. Snippets are taken as they
stand, without arguments.
"""

import os
import re
from collections.abc import Iterable, Iterator

from capacity.monitor.limits.applications.directives import Directive
from capacity.monitor.limits.applications.process import Process
from capacity.monitor.limits.applications.settings import UnclearError

_MOST_DEPTH = 16
"""Of files and snippets that import one another, and of blocks."""
_MOST_DIRECTIVES = 50_000
"""With what is imported."""
_WORD = re.compile(r"""#.*|"((?:[^"\\]|\\.)*)"?|`([^`]*)`?|([^\s"`]\S*)""")
_HEREDOC = re.compile(r"<<([\w-]+)$")
_SNIPPET = re.compile(r"\([^()]+\)")
_HTTP, _HTTPS = 80, 443


class _Reader:
    def __init__(self, process: Process) -> None:
        self._process = process
        self._count = 0
        self._snippets: dict[str, Directive] = {}

    def file(self, path: str, into: Directive, depth: int) -> None:
        """Append what a file says to the block of *into*."""
        if depth > _MOST_DEPTH:
            raise UnclearError(f"files import one another more than {_MOST_DEPTH} deep", path)
        blocks = [into]
        for words, where in _statements(self._process.lines(path)):
            if words == ["}"]:
                if len(blocks) == 1:
                    raise UnclearError("a block ends that never began", where)
                self._close(blocks)
            elif words[0] == "import" and len(words) > 1 and words[-1] != "{":
                self._import(words[1], path, blocks[-1], depth)
            else:
                self._add(words, where, blocks)
        if len(blocks) > 1:
            raise UnclearError("the file ends within a block", path)

    def _add(self, words: list[str], where: str, blocks: list[Directive]) -> None:
        opens = words[-1] == "{"
        name, *rest = (words[:-1] if opens else words) or [""]
        directive = Directive(name=name, words=tuple(rest), where=where)
        self._grow(1, where)
        if not (opens and len(blocks) == 1 and _SNIPPET.fullmatch(name)):
            blocks[-1].block.append(directive)
        if opens:
            blocks.append(directive)
        if len(blocks) > _MOST_DEPTH:
            raise UnclearError(f"blocks more than {_MOST_DEPTH} deep", where)

    def _close(self, blocks: list[Directive]) -> None:
        """End a block; a snippet is one only now, so that none has itself."""
        ended = blocks.pop()
        if len(blocks) == 1 and _SNIPPET.fullmatch(ended.name):
            self._snippets[ended.name[1:-1]] = ended

    def _import(self, name: str, path: str, into: Directive, depth: int) -> None:
        snippet = self._snippets.get(name)
        if snippet is not None:
            self._grow(sum(1 for _ in snippet.all()), snippet.where)
            into.block.extend(snippet.block)
            return
        folder = os.path.dirname(path)  # noqa: PTH120 - a path of another root
        for each in self._process.files.matching(self._process.files.absolute(name, folder)):
            self.file(each, into, depth + 1)

    def _grow(self, more: int, where: str) -> None:
        self._count += more
        if self._count > _MOST_DIRECTIVES:
            raise UnclearError(f"more than {_MOST_DIRECTIVES} directives", where)


def sites(process: Process, path: str) -> Iterator[tuple[list[int], Directive]]:
    """Yield ports and directives of each site of a Caddyfile."""
    root = Directive(name="", words=(), where=path)
    _Reader(process).file(path, root, 0)
    top = root.block
    http, https = _HTTP, _HTTPS
    if top and not top[0].name and top[0].block:
        http, https = _port(top[0], "http_port", http), _port(top[0], "https_port", https)
        del top[0]
    blocks = [each for each in top if each.block]
    if top and not blocks:
        # One site without braces: its first line is its address.
        blocks = [Directive(name=top[0].name, words=top[0].words, where=path, block=top[1:])]
    for site in blocks:
        addresses = " ".join([site.name, *site.words]).replace(",", " ").split()
        yield sorted({port for each in addresses for port in _ports(each, http, https)}), site


def _port(options: Directive, name: str, default: int) -> int:
    texts = [option.text for option in options.all(name)]
    return next((int(text) for text in texts if text.isascii() and text.isdigit()), default)


def _ports(address: str, http: int, https: int) -> list[int]:
    scheme, _, rest = address.rpartition("://")
    host = rest.partition("/")[0]
    text = host.rpartition("]")[2].rpartition(":")[2] if ":" in host.rpartition("]")[2] else ""
    if text.isascii() and text.isdigit() and len(text) < 6:
        return [int(text)]
    if scheme == "http":
        return [http]
    return [http, https]


def _statements(lines: Iterable[tuple[str, str]]) -> Iterator[tuple[list[str], str]]:
    """Yield the words of each line, with its place; texts between << and their mark are skipped."""
    mark = None
    for line, where in lines:
        if mark is not None:
            mark = None if line.strip() == mark else mark
            continue
        words = _words(line)
        if words:
            yield words, where
            found = _HEREDOC.match(words[-1])
            mark = found[1] if found else None


def _words(line: str) -> list[str]:
    words = []
    for found in _WORD.finditer(line):
        if found[0].startswith("#"):
            break
        words.append(next((text for text in found.groups() if text is not None), ""))
    return words
