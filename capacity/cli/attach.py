"""`capacity attach RUN FILE...`: samples that an agent spooled, joined to the run they belong to."""

import json
from pathlib import Path

import click

from capacity.cli.plan import located
from capacity.domain import units
from capacity.sources.attaching import Attached, attach
from capacity.sources.spool import read_spool


@click.command()
@click.argument("run")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--clock-offset",
    "clock_offset_s",
    type=float,
    help="Seconds by which the target's clock was ahead of the recorder's; estimated if not given.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(
    run: str, files: tuple[Path, ...], clock_offset_s: float | None, *, as_json: bool
) -> None:
    """Merge spooled samples into RUN, as a new run beside it; FILES are what --spool wrote, or the directory."""
    spool = read_spool(files)
    if spool.torn:
        click.echo(f"{units.counted(spool.torn, 'incomplete line')} skipped", err=True)
    attached = attach(located(run), spool, clock_offset_s)
    click.echo(
        f"{units.counted(attached.samples, 'sample')} attached; {_clock(attached)}", err=True
    )
    if as_json:
        document = {
            "run": str(attached.path),
            "samples": attached.samples,
            "skipped_lines": spool.torn,
        }
        click.echo(json.dumps(document, indent=2))
    else:
        click.echo(attached.path)


def _clock(attached: Attached) -> str:
    offset = attached.clock_offset
    if offset is None:
        return "the clock offset is unknown and assumed to be 0 (set it with --clock-offset)"
    ahead = units.duration(abs(offset.offset_s))
    direction = "ahead of" if offset.offset_s >= 0 else "behind"
    known = f" ± {units.duration(offset.error_s)}" if offset.error_s else ""
    return f"the target's clock was {ahead}{known} {direction} the recorder's ({attached.clock})"
