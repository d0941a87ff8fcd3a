"""PHP's memory_limit: on the command line, in php.ini and the files beside it, 128 MiB where none says so.

PHP's manual (Runtime Configuration, The configuration file, List of core php.ini directives): files are
read in the order of their names after php.ini, -d comes last, a number may end in K, M or G, -1 is no
limit. What counts against it are whole chunks of 2 MiB, each on a multiple of its size (zend_alloc.c), in use
or not: its mappings show them. Where php.ini lies is compiled into the program: the places of Debian, Alpine, Docker's images and
Red Hat are known. What a program sets itself (ini_set) is not seen.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath

from capacity.monitor.host.procfs import read_text
from capacity.monitor.limits.applications.config_files import Files
from capacity.monitor.limits.applications.process import files_of
from capacity.monitor.limits.applications.settings import UnclearError
from capacity.monitor.limits.runtime_options import PHP_FILE, PHP_FOLDERS, HeapOption

_NAME = "memory_limit"
_DEFAULT_BYTES = 128 << 20
_PREFIXES = {"": 0, "k": 10, "m": 20, "g": 30}
_SIZE = re.compile(r"(\d{1,15})([kmg]?)", re.ASCII | re.IGNORECASE)
_LINE = re.compile(
    r"\s*(?:memory_limit\s*=\s*\"?([^\";]*?)\"?\s*(?:;.*)?|(\[\s*(?:PATH|HOST)\s*=.*))",
    re.IGNORECASE,
)
_VALUED = {"-c", "-d", "-z", "-S", "-t"}
_ENDS = {"--", "-f", "-r", "-R", "-F"}
_FILE = "php.ini"
_CHUNK_BYTES = 2 << 20
_ANONYMOUS = re.compile(r"([0-9a-f]+)-([0-9a-f]+) rw-p 0+ 00:00 0 *")


def php_option(
    pid: int, program: str, words: Sequence[str], variables: Mapping[str, str], proc: str = "/proc"
) -> HeapOption | None:
    """Return the limit of a process that runs PHP as *program*; None where it is told to have none.

    UnclearError where it cannot be told: its place, or what stands there.
    """
    told, place, is_without_files = None, variables.get(PHP_FILE), False
    for option, value in _options(words):
        if option == "-c":
            place = value
        elif option == "-n":
            is_without_files = True
        elif option == "-d":
            name, equals, size = value.partition("=")
            if name.strip() == _NAME:
                told = (size.strip().strip("\"'") if equals else "1", "cmdline")
    if told is None and not is_without_files:
        told = _in_files(files_of(pid, proc), program, place, variables.get(PHP_FOLDERS))
    if told is None:
        text = f"no {_NAME} is set, so {_DEFAULT_BYTES >> 20}M"
        return HeapOption(text=text, where="cmdline", size_bytes=_DEFAULT_BYTES)
    return _as_option(*told)


def php_heap_bytes(pid: int, proc: str = "/proc") -> int:
    """Return what PHP has for its scripts, as memory_get_usage(true) says it; READ_ERRORS."""
    found = map(_ANONYMOUS.fullmatch, read_text(f"{proc}/{pid}/maps").splitlines())
    mappings = [(int(each[1], 16), int(each[2], 16)) for each in found if each is not None]
    sizes = (end - -(-start // _CHUNK_BYTES) * _CHUNK_BYTES for start, end in mappings)
    return sum(size for size in sizes if size >= _CHUNK_BYTES)


def _options(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield PHP's own options with their values: those before the script, which has options as well."""
    rest = iter(words[1:])
    for word in rest:
        option = word[:2]
        if not word.startswith("-") or option in _ENDS:
            return
        if option in _VALUED and not word.startswith("--"):
            yield option, word[2:].removeprefix("=") or next(rest, "")
        else:
            yield word, ""


def _as_option(text: str, where: str) -> HeapOption | None:
    if text == "-1":
        return None
    found = _SIZE.fullmatch(text)
    if found is None:
        raise UnclearError(f"{_NAME} is no plain size there", where)
    size_bytes = int(found[1]) << _PREFIXES[found[2].lower()]
    return HeapOption(text=f"{_NAME} {text}", where=where, size_bytes=size_bytes)


def _in_files(
    files: Files, program: str, place: str | None, folders: str | None
) -> tuple[str, str] | None:
    """Return what the last of the files says, with file and line; None where none says anything."""
    paths = _paths(files, program, place, folders)
    found = [each for path in paths if files.exists(path) for each in _in_file(files, path)]
    return found[-1] if found else None


def _paths(files: Files, program: str, place: str | None, folders: str | None) -> list[str]:
    """Return php.ini and the files that are read after it, in the order in which they are."""
    known = next((each for each in _homes(program) if any(map(files.exists, each))), None)
    if known is None and (place is None or folders is None):
        raise UnclearError("where php.ini lies is compiled into PHP", program)
    own, beside = known or ("", "")
    if place is not None:
        own = files.absolute(place)
        own = own if own.endswith(".ini") else f"{own}/{_FILE}"
    scanned = beside if folders is None else folders
    more = [each or beside for each in scanned.split(":")] if scanned else []
    return [own, *(path for each in more for path in files.matching(f"{each}/*.ini"))]


def _homes(program: str) -> Iterator[tuple[str, str]]:
    """Yield where php.ini may lie, and in which folder the files are that are read after it."""
    version = re.search(r"[\d.]+$", PurePath(program).name)
    if version is not None and "." in version[0]:
        home = f"/etc/php/{version[0]}/cli"
        yield f"{home}/{_FILE}", f"{home}/conf.d"
    elif version is not None:
        yield f"/etc/php{version[0]}/{_FILE}", f"/etc/php{version[0]}/conf.d"
    if program.startswith("/usr/local/"):
        yield f"/usr/local/etc/php/{_FILE}", "/usr/local/etc/php/conf.d"
    else:
        yield f"/etc/{_FILE}", "/etc/php.d"


def _in_file(files: Files, path: str) -> Iterator[tuple[str, str]]:
    """Yield each value that a file gives to every script, with file and line."""
    for number, line in enumerate(files.text(path).splitlines(), start=1):
        found = _LINE.fullmatch(line)
        if found is None:
            continue
        if found[2] is not None:
            return  # What follows holds for scripts of one folder or host, below a web server.
        yield found[1].strip("'"), f"{path}:{number}"
