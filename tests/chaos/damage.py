"""Damages a copy of a recorded run, as a disk, an editor or half a transfer would."""

import random
import re
import shutil

FILES = (
    "run.json",
    "steps.jsonl",
    "samples.jsonl",
    "events.jsonl",
    "histograms.jsonl",
    "load.jsonl",
)
NUMBERS = (b"NaN", b"-1", b"1e999", b"null", b'"7"', b"[]", b"9" * 400, b"0", b"-0.0", b"1e-320")
NUMBER = re.compile(rb"(?<=[:,\[ ])-?\d+(?:\.\d+)?(?=[,}\]])")


def damaged(run, folder, how, seed):
    """Copy *run* to *folder* with one file damaged; return that file's name."""
    chance = random.Random(f"{how}-{seed}")
    shutil.copytree(run, folder, ignore=shutil.ignore_patterns("plan.json", "report.*", "*.log"))
    file = folder / chance.choice([name for name in FILES if (folder / name).is_file()])
    if how in {"absent", "a folder"}:
        file.unlink()
        if how == "a folder":
            file.mkdir()
        return file.name
    file.write_bytes(DEEDS[how](file.read_bytes(), chance))
    return file.name


def _flipped(content, chance, count=1):
    bytes_ = bytearray(content)
    for _ in range(count):
        bytes_[chance.randrange(len(bytes_))] ^= 1 << chance.randrange(8)
    return bytes(bytes_)


def _zeros(content, chance):
    at = chance.randrange(len(content))
    return content[:at] + bytes(min(512, len(content) - at)) + content[at + 512 :]


def _junk(content, chance):
    at = chance.randrange(len(content))
    return content[:at] + chance.randbytes(chance.randint(1, 300)) + content[at:]


def _lines(content, chance, change):
    lines = content.splitlines(keepends=True)
    begin = chance.randrange(len(lines))
    end = min(len(lines), begin + chance.randint(1, 5))
    return b"".join(change(lines, begin, end, chance))


def _shuffled(lines, _begin, _end, chance):
    return chance.sample(lines, len(lines))


def _number(content, chance):
    found = list(NUMBER.finditer(content))
    if not found:
        return content[:-1]
    match = chance.choice(found)
    return content[: match.start()] + chance.choice(NUMBERS) + content[match.end() :]


DEEDS = {
    "truncated": lambda content, chance: content[: chance.randrange(len(content))],
    "a byte flipped": _flipped,
    "bytes flipped": lambda content, chance: _flipped(content, chance, 40),
    "zeros": _zeros,
    "junk put in": _junk,
    "lines lost": lambda content, chance: _lines(
        content, chance, lambda lines, begin, end, _: lines[:begin] + lines[end:]
    ),
    "lines doubled": lambda content, chance: _lines(
        content, chance, lambda lines, begin, end, _: lines[:end] + lines[begin:]
    ),
    "lines shuffled": lambda content, chance: _lines(content, chance, _shuffled),
    "a number replaced": _number,
    "empty": lambda _content, _chance: b"",
}
