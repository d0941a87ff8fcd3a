"""Millions of frames through our reader and wsproto: `make fuzz-frames FRAMES=10000000 SEED=1`.

Goes on where it was left, as long as seed and code are the same. A stream that crashes the reader, or on
which the two differ without a reason, is written down with its number; exit code 1 then.
"""

import argparse
import hashlib
import json
import sys
import time
from collections import Counter
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from frame_referee import ALLOWED, DisagreementError, compare
from streams import cuts_of, stream_of

from capacity.loadgen.wire import compression, frames

SAVED_EVERY_S = 10.0
MOST_FOUND = 20


def code_version():
    """Return what the figures are of: the reader's and the judge's code."""
    files = [
        HERE / "streams.py",
        HERE / "frame_referee.py",
        Path(frames.__file__),
        Path(compression.__file__),
    ]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]


def begun(seed):
    return {
        "seed": seed,
        "code": code_version(),
        "streams": 0,
        "frames": 0,
        "bytes": 0,
        "cpu_s": 0.0,
        "crashes": 0,
        "disagreements": 0,
        "allowed": {},
        "streams_by_damage": {},
        "found": [],
    }


def resumed(file, seed):
    """Return the figures of an earlier beginning of the same, or new ones."""
    if file.exists():
        figures = json.loads(file.read_text(encoding="utf-8"))
        if (figures["seed"], figures["code"]) == (seed, code_version()):
            return figures
    return begun(seed)


def go_on(figures, most_frames, save=lambda: None):
    """Compare stream after stream until there were *most_frames*, or too much was found."""
    allowed, damages = Counter(figures["allowed"]), Counter(figures["streams_by_damage"])
    cpu_s, saved_s = time.process_time(), time.monotonic()
    while figures["frames"] < most_frames and len(figures["found"]) < MOST_FOUND:
        number = figures["streams"]
        stream = stream_of(figures["seed"], number)
        try:
            difference = compare(stream, cuts_of(figures["seed"], number, len(stream.data)))
        except DisagreementError as found:
            figures["disagreements"] += 1
            figures["found"].append({"stream": number, "damage": stream.damage, "why": str(found)})
        except Exception as error:  # noqa: BLE001 - a crash of the reader is what is looked for
            figures["crashes"] += 1
            figures["found"].append({"stream": number, "damage": stream.damage, "why": repr(error)})
        else:
            if difference is not None:
                allowed[difference] += 1
        damages[stream.damage] += 1
        figures["streams"] += 1
        figures["frames"] += stream.frames
        figures["bytes"] += len(stream.data)
        is_last = figures["frames"] >= most_frames
        if is_last or time.monotonic() - saved_s > SAVED_EVERY_S:
            figures["cpu_s"] += time.process_time() - cpu_s
            cpu_s, saved_s = time.process_time(), time.monotonic()
            figures["allowed"], figures["streams_by_damage"] = dict(allowed), dict(damages)
            save()
    figures["allowed"], figures["streams_by_damage"] = dict(allowed), dict(damages)
    save()
    return figures


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=10_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--into", type=Path, default=Path("reports/benchmarks/fuzz-frames.json"))
    options = parser.parse_args(arguments)
    options.into.parent.mkdir(parents=True, exist_ok=True)
    figures = resumed(options.into, options.seed)

    def save():
        options.into.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")

    go_on(figures, options.frames, save)
    print(
        f"{figures['frames']:,} frames in {figures['streams']:,} streams, {figures['bytes']:,} bytes: "
        f"{figures['crashes']} crashes, {figures['disagreements']} unexplained disagreements"
    )
    for name, count in sorted(figures["allowed"].items()):
        print(f"  allowed in {count:,} streams: {name} - {ALLOWED[name]}")
    for found in figures["found"]:
        print(f"  stream {found['stream']} ({found['damage']}): {found['why']}")
    return 1 if figures["found"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
