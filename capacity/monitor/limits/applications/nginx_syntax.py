"""nginx's configuration as a tree of directives, with the files that it includes.

ngx_conf_file.c: words, quotes, blocks in braces; a pattern of `include` is relative to the folder of
the main file. Blocks of Lua are skipped by their braces.
"""

import re
from collections.abc import Iterator

from capacity.monitor.limits.applications.directives import Directive
from capacity.monitor.limits.applications.process import Process
from capacity.monitor.limits.applications.settings import UnclearError

_MOST_DEPTH = 16
"""Of files that include one another, and of blocks."""
_TOKEN = re.compile(
    r"""(?P<space>\s+|\#[^\n]*)|(?P<mark>[{};])|"(?P<double>(?:\\.|[^"\\])*)"|'(?P<single>(?:\\.|[^'\\])*)'"""
    r"""|(?P<word>(?:\\.|\$\{[^}\s]*\}|[^\s{};\\])+)""",
    re.DOTALL,
)
_LUA = "_by_lua_block"
_LUA_BRACE = re.compile(r"""[{}]|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|--[^\n]*""")
"""Braces, and what hides them: texts and comments."""


def tree(process: Process, path: str, prefix: str) -> Directive:
    """Return the main file as a directive with everything below it."""
    main = Directive(name="", words=(), where=path)
    _read(process, path, prefix, main, 0)
    return main


def _read(process: Process, path: str, prefix: str, into: Directive, depth: int) -> None:
    if depth > _MOST_DEPTH:
        raise UnclearError(f"files include one another more than {_MOST_DEPTH} deep", path)
    text = process.files.text(path)
    note = process.changed(path)
    blocks = [into]
    for words, mark, line in _statements(text, path):
        place = f"{path}:{line}{note}"
        if mark == "}":
            if len(blocks) == 1:
                raise UnclearError("a block ends that never began", place)
            blocks.pop()
            continue
        directive = Directive(name=words[0], words=tuple(words[1:]), where=place)
        if directive.name == "include" and mark == ";" and directive.words:
            pattern = process.files.absolute(directive.words[0], prefix)
            for included in process.files.matching(pattern):
                _read(process, included, prefix, blocks[-1], depth + 1)
            continue
        blocks[-1].block.append(directive)
        if mark == "{":
            blocks.append(directive)
        if len(blocks) > _MOST_DEPTH:
            raise UnclearError(f"blocks more than {_MOST_DEPTH} deep", place)
    if len(blocks) > 1:
        raise UnclearError("the file ends within a block", path)


def _statements(text: str, path: str) -> Iterator[tuple[list[str], str, int]]:
    """Yield the words up to each mark, the mark, and the line where they begin."""
    words: list[str] = []
    began = 1
    for kind, word, line in tokens(text):
        if kind == "word":
            began = began if words else line
            words.append(word)
        elif bool(words) is (word == "}"):
            raise UnclearError(f"{word} where it cannot stand", f"{path}:{line}")
        else:
            yield words, word, began if words else line
            words = []
    if words:
        raise UnclearError("the file ends within a directive", path)


def tokens(text: str) -> Iterator[tuple[str, str, int]]:
    """Yield kind (mark or word), text and line; what is no token is skipped."""
    position, line, is_lua = 0, 1, False
    while position < len(text):
        found = _TOKEN.match(text, position)
        if found is None:
            position += 1
            continue
        kind = found.lastgroup or ""
        word = found[kind]
        if kind == "word" and word.endswith(_LUA):
            is_lua = True
        if kind == "mark" and word == "{" and is_lua:
            end = _closing(text, found.end())
            yield "mark", ";", line
            line += text.count("\n", position, end)
            position, is_lua = end, False
            continue
        if kind != "space":
            yield ("mark" if kind == "mark" else "word"), word, line
        line += text.count("\n", position, found.end())
        position = found.end()


def _closing(text: str, position: int) -> int:
    """Return where the block ends whose brace was opened before *position*."""
    depth = 1
    for found in _LUA_BRACE.finditer(text, position):
        depth += {"{": 1, "}": -1}.get(found[0], 0)
        if depth == 0:
            return found.end()
    return len(text)
