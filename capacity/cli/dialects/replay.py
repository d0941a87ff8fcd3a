"""`capacity dialect replay`: a dialect over a recording, without a server."""

import json
from pathlib import Path

import click

from capacity.cli.dialects.recordings import load_session
from capacity.cli.dialects.shown import MOST_FRAMES, Frames, summary
from capacity.cli.helping.completion import names
from capacity.settings.dialect import load_dialect
from capacity.settings.locate import find
from capacity.workload.drafting.replay import Counts, Replay
from capacity.workload.drafting.understood import verdict


@click.command("replay")
@click.argument("dialect", shell_complete=names("dialects"))
@click.argument("recording", type=click.Path(path_type=Path))
@click.option("--frames", "most", default=0, show_default=True, help="Frames to show one by one.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(*, dialect: str, recording: Path, most: int, as_json: bool) -> None:
    """Count what DIALECT makes of RECORDING: a session of `record`, a HAR file, or frames by line."""
    described = load_dialect(find("dialects", dialect))
    replay = Replay(described, load_session(recording).frames)
    frames = Frames(0 if as_json else most)
    began_s = None
    for frame, receptions in replay.run():
        if began_s is None:
            began_s = frame.at_s
        since = None if frame.at_s is None or began_s is None else frame.at_s - began_s
        made = None if frame.is_ours else verdict(receptions, frame.at_s)
        frames.show(since, frame.payload, made)
    if as_json:
        click.echo(json.dumps(_document(replay.counts), indent=2))
        return
    if most:
        frames.close()
    for line in summary(replay.counts):
        click.echo(line)
    if replay.counts.problems:
        click.echo(f"--frames {MOST_FRAMES} shows frames one by one; correct the dialect by them")


def _document(counts: Counts) -> dict[str, object]:
    return {
        "schema_version": 1,
        "kind": "dialect_replay",
        "frames": counts.frames,
        "frames_of_the_client": counts.ours,
        "by_kind": dict(counts.kinds),
        "updates": dict(counts.updates),
        "updates_with_time": counts.timed,
        "updates_with_number": counts.numbered,
        "missing": counts.missed,
        "missing_by_checksum": counts.mismatched,
        "problems": [
            {"class": name, "count": problem.times, "first": problem.first}
            for name, problem in counts.problems.items()
        ],
    }
