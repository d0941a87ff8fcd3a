"""HAProxy's configuration by sections (configuration.txt, chapter 2): words, quotes, comments."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from capacity.monitor.limits.applications.settings import Setting

_SECTIONS = frozenset(
    [
        "global",
        "defaults",
        "frontend",
        "backend",
        "listen",
        "peers",
        "resolvers",
        "userlist",
        "mailers",
        "program",
        "cache",
        "ring",
        "http-errors",
        "log-forward",
        "fcgi-app",
        "crt-store",
        "traces",
    ]
)
_MOST_PORTS = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    words: tuple[str, ...]
    where: str
    is_conditional: bool
    """Within .if and .endif: whether it holds is not told by the file."""

    def value(self, name: str) -> Setting | None:
        """Return the word behind *name*."""
        for word, behind in zip(self.words, self.words[1:], strict=False):
            if word == name:
                return Setting(name, "?" if self.is_conditional else behind, self.where)
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    kind: str
    name: str
    defaults: "Section | None"
    lines: list[Line] = field(default_factory=list)

    def all(self, name: str) -> list[Line]:
        return [line for line in self.lines if line.words[0] == name]

    def setting(self, name: str) -> Setting | None:
        """Return the last setting of *name*, its defaults section's where it has none."""
        own = self.all(name)
        if own:
            return own[-1].value(name)
        return self.defaults.setting(name) if self.defaults is not None else None

    @property
    def ports(self) -> set[int]:
        return {port for line in self.all("bind") for port in ports_of(line)}


def sections(lines: Iterable[tuple[str, str]]) -> list[Section]:
    """Return all sections in their order."""
    found: list[Section] = []
    defaults: dict[str, Section] = {}
    latest: Section | None = None
    depth = 0
    for text, where in lines:
        words = split(text)
        if not words:
            continue
        depth += (words[0] == ".if") - (words[0] == ".endif")
        if words[0].startswith("."):
            continue
        if words[0] in _SECTIONS:
            named = words[words.index("from") + 1 :][:1] if "from" in words[1:] else []
            inherited = defaults.get(named[0]) if named else latest
            section = Section(
                kind=words[0],
                name=words[1] if len(words) > 1 else "",
                defaults=None if words[0] == "global" else inherited,
            )
            if section.kind == "defaults":
                base = defaults.get(named[0]) if named else None
                section = Section(kind="defaults", name=section.name, defaults=base)
                latest = defaults[section.name] = section
            found.append(section)
        elif found:
            found[-1].lines.append(Line(words=words, where=where, is_conditional=depth > 0))
    return found


def split(text: str) -> tuple[str, ...]:
    """Return the words of a line; quotes and backslashes as HAProxy has them."""
    words, word, quote, is_escaped, is_word = [], "", "", False, False
    for letter in text:
        if is_escaped:
            word, is_escaped = word + letter, False
        elif letter == "\\" and quote != "'":
            is_escaped = is_word = True
        elif quote:
            if letter == quote:
                quote = ""
            else:
                word += letter
        elif letter in "\"'":
            quote, is_word = letter, True
        elif letter == "#":
            break
        elif letter.isspace():
            if is_word:
                words.append(word)
            word, is_word = "", False
        else:
            word, is_word = word + letter, True
    return (*words, word) if is_word else tuple(words)


def ports_of(bind: Line) -> Iterator[int]:
    """Yield the TCP ports of a bind line: `:80`, `*:80-90,[::1]:443`; none of a Unix socket."""
    for address in bind.words[1].split(",") if len(bind.words) > 1 else ():
        if address.startswith(("/", "unix@", "abns@", "fd@", "udp", "quic")):
            continue
        first, dash, last = address.rpartition(":")[2].partition("-")
        if not (first.isascii() and first.isdigit() and len(first) < 6):
            continue
        end = last if dash and last.isascii() and last.isdigit() and len(last) < 6 else first
        yield from range(int(first), min(int(end), int(first) + _MOST_PORTS) + 1)
