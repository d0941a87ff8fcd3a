"""What a result says of its making: the program, the profile, the sizes that were planted."""

import hashlib
import subprocess
from dataclasses import asdict
from importlib.metadata import version

import yaml
from prediction import ROOT, SAFE


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()


def mix_as_shipped():
    """Return the mix of the safe profile as it is shipped."""
    return {"poll_interval_s": 1, **yaml.safe_load(SAFE.read_text())}["mix"]


def git(*arguments):
    said = subprocess.run(
        ["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return said.stdout.strip()


def provenance(case):
    """Return version, commit and whether the product's files differ from it, sizes and profile."""
    return {
        "version": version("capacity"),
        "commit": git("rev-parse", "HEAD"),
        "is_changed": bool(git("status", "--porcelain", "--", "capacity", "config", "locustfiles")),
        "profile": "safe",
        "profile_sha256": digest(SAFE.read_text()),
        "planted": asdict(case),
    }
