"""The cap of a heap among the options of a runtime, by a list of the options that may set one.

java(1) and the JDK's JDK_JAVA_OPTIONS and JAVA_TOOL_OPTIONS; node's command-line API; Go's
runtime/debug.SetMemoryLimit; .NET's runtime configuration for garbage collection; Deno's --v8-flags and
DENO_V8_FLAGS; where PHP looks for its files. Of command lines and environments nothing else is kept or shown: they hold secrets.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

JAVA_BEFORE = ("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS")
"""Taken before the command line, which overrides them, as _JAVA_OPTIONS overrides it."""
JAVA_AFTER = "_JAVA_OPTIONS"
NODE_OPTIONS = "NODE_OPTIONS"
DENO_FLAGS = "DENO_V8_FLAGS"
PHP_FILE, PHP_FOLDERS = "PHPRC", "PHP_INI_SCAN_DIR"
GO_LIMIT = "GOMEMLIMIT"
NET_LIMITS = ("DOTNET_GCHeapHardLimit", "COMPlus_GCHeapHardLimit")
NET_SHARES = tuple(f"{name}Percent" for name in NET_LIMITS)
VARIABLES = frozenset(
    {
        *(*JAVA_BEFORE, JAVA_AFTER, NODE_OPTIONS, DENO_FLAGS, GO_LIMIT),
        *(*NET_LIMITS, *NET_SHARES, PHP_FILE, PHP_FOLDERS),
    }
)
"""All of an environment that is looked at."""

_JAVA_SIZES = ("-Xmx", "-XX:MaxHeapSize=")
_JAVA_SHARE = "-XX:MaxRAMPercentage="
_JAVA_FILES = ("@", "-XX:Flags=", "-XX:VMOptionsFile=")
_JAVA_VALUED = frozenset(
    {"-cp", "-classpath", "--class-path", "-p", "--module-path", "--add-modules", "--source"}
)
_NODE_SIZE = "--max-old-space-size"
_NODE_SEMI_SPACE = "--max-semi-space-size"
_NODE_WHOLE = "--max-heap-size"
"""Both generations; a size of one of them beats it."""
_DENO_FLAGS = "--v8-flags="
_NODE_VALUED = frozenset({"-r", "--require", "--import", "--loader", "-C", "--conditions"})
_V8_SIZES = {_NODE_SIZE, _NODE_SEMI_SPACE, _NODE_WHOLE}
_JAVA_PREFIXES = {"k": 10, "m": 20, "g": 30, "t": 40}
_GO_PREFIXES = {"KiB": 10, "MiB": 20, "GiB": 30, "TiB": 40, "B": 0}


@dataclass(frozen=True, slots=True, kw_only=True)
class HeapOption:
    """An option as it was given, and what it says; exactly one of the two values is set."""

    text: str
    where: str
    """cmdline or environ, of /proc/PID."""
    size_bytes: int | None = None
    memory_ratio: float | None = None
    """Of the memory that the process may use."""


class OptionsInFileError(ValueError):
    """The runtime takes further options from a file, which is not read."""


def environment(text: str) -> dict[str, str]:
    """Return those of VARIABLES that are set in /proc/PID/environ."""
    pairs = (line.partition("=") for line in text.split("\0"))
    return {name: value for name, _, value in pairs if name in VARIABLES}


def java_options(words: Sequence[str], variables: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return a JVM's options in the order in which they count, each with where it stands."""
    return [
        *((word, "environ") for name in JAVA_BEFORE for word in variables.get(name, "").split()),
        *((word, "cmdline") for word in _own_options(words, _JAVA_VALUED)),
        *((word, "environ") for word in variables.get(JAVA_AFTER, "").split()),
    ]


def java_option(words: Sequence[str], variables: Mapping[str, str]) -> HeapOption | None:
    """Return what caps the heap of a JVM; None where nothing does.

    *words* are the command line. A size beats a share of the memory, and the last one counts.
    """
    options = java_options(words, variables)
    size, share = None, None
    for word, where in options:
        for prefix in _JAVA_SIZES:
            if word.startswith(prefix):
                value = _scaled(word.removeprefix(prefix).lower(), _JAVA_PREFIXES)
                size = HeapOption(text=word, where=where, size_bytes=value)
        if word.startswith(_JAVA_SHARE):
            ratio = float(word.removeprefix(_JAVA_SHARE)) / 100.0
            share = HeapOption(text=word, where=where, memory_ratio=ratio)
    found = size or share
    if found is None and any(word.startswith(_JAVA_FILES) for word, _ in options):
        raise OptionsInFileError("the JVM takes options from a file")
    return found


def v8_option(
    words: Sequence[str], variables: Mapping[str, str], *, is_deno: bool = False
) -> HeapOption | None:
    """Return what caps the old space of node or Deno, or the whole heap where only that is given.

    The command line beats the environment.
    """
    old = _v8_size(_NODE_SIZE, words, variables, is_deno=is_deno)
    return old or _v8_size(_NODE_WHOLE, words, variables, is_deno=is_deno)


def is_of_old_space(option: HeapOption) -> bool:
    """Tell whether the young generation comes beside what an option of V8 caps."""
    return not option.text.startswith(_NODE_WHOLE)


def v8_semi_space(
    words: Sequence[str], variables: Mapping[str, str], *, is_deno: bool = False
) -> HeapOption | None:
    """Return what caps a half of V8's young generation, which the cap of its old space leaves out."""
    return _v8_size(_NODE_SEMI_SPACE, words, variables, is_deno=is_deno)


def go_option(variables: Mapping[str, str]) -> HeapOption | None:
    """Return GOMEMLIMIT; None where it is off. Whether a program is Go's is not told by it."""
    text = variables.get(GO_LIMIT, "off")
    if text in {"", "off"}:
        return None
    return HeapOption(
        text=f"{GO_LIMIT}={text}", where="environ", size_bytes=_scaled(text, _GO_PREFIXES)
    )


def net_option(variables: Mapping[str, str]) -> HeapOption | None:
    """Return the hard limit of .NET's heap, which is written in hexadecimal digits; 0 sets none."""
    for name in NET_LIMITS:
        if (text := variables.get(name)) and (size := int(text, 16)):
            return HeapOption(text=f"{name}={text}", where="environ", size_bytes=size)
    for name in NET_SHARES:
        if (text := variables.get(name)) and (share := int(text, 16)):
            return HeapOption(text=f"{name}={text}", where="environ", memory_ratio=share / 100)
    return None


def _own_options(words: Sequence[str], valued: frozenset[str]) -> Iterator[str]:
    """Yield the options of the runtime: those before the program, which has options as well."""
    rest = iter(words[1:])
    for word in rest:
        if not word.startswith(("-", "@")):
            return
        yield word
        if word in valued:
            yield next(rest, "")


def _v8_size(
    option: str, words: Sequence[str], variables: Mapping[str, str], *, is_deno: bool
) -> HeapOption | None:
    if is_deno:
        given = [word for word in words[1:] if word.startswith(_DENO_FLAGS)]
        own = [flag for word in given for flag in word.removeprefix(_DENO_FLAGS).split(",")]
        of_environment = variables.get(DENO_FLAGS, "").split(",")
    else:
        own = list(_own_options(words, _NODE_VALUED | _V8_SIZES))
        of_environment = variables.get(NODE_OPTIONS, "").split()
    return _last_size(option, own, "cmdline") or _last_size(option, of_environment, "environ")


def _last_size(option: str, words: Iterable[str], where: str) -> HeapOption | None:
    """Return the last size among *words*, which is in MiB; dashes may be underscores."""
    found, rest = None, iter(words)
    for word in rest:
        name, equals, value = word.replace("_", "-").partition("=")
        if name == option:
            value = value if equals else next(rest, "")
            found = HeapOption(text=f"{name}={value}", where=where, size_bytes=int(value) << 20)
    return found


def _scaled(text: str, prefixes: Mapping[str, int]) -> int:
    for prefix, bits in prefixes.items():
        if text.endswith(prefix):
            return int(text.removesuffix(prefix)) << bits
    return int(text)
