"""Samples of a run that is guarded."""

import runpy
from pathlib import Path

from capacity.domain.resources import Resource

EXAMPLE = runpy.run_path(str(Path(__file__).with_name("guarded_run.py")))
BOUNDS, DESCRIPTORS = EXAMPLE["BOUNDS"], EXAMPLE["DESCRIPTORS"]
sample, run_of = EXAMPLE["sample"], EXAMPLE["run_of"]


def filling(*used):
    return [
        sample(n, {Resource.DESCRIPTORS: value}) for n, value in enumerate(used) for _ in "12345"
    ]
