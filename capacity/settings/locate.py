"""From a name to its file: `demo` of kind `targets` is config/targets/demo.yaml."""

from difflib import get_close_matches
from pathlib import Path

import capacity
from capacity.domain.errors import ConfigError

SUFFIXES = (".yaml", ".yml")


def find(kind: str, name_or_path: str) -> Path:
    """Return the file of *kind* (a folder of config/: targets, profiles, dialects, schedule).

    A name is looked up in ./config, then in what capacity ships; whatever has a slash or a YAML
    suffix is a path and taken as it is. Raises ConfigError that says where was looked.
    """
    if "/" in name_or_path or name_or_path.endswith(SUFFIXES):
        return Path(name_or_path)  # Whoever reads it says what is wrong with it.
    here, ours = _folders_of(kind)
    files = _files_of(kind)
    if name_or_path in files:
        return files[name_or_path]
    elsewhere = "" if here.resolve() == ours.resolve() else f", nor has {ours}, which is shipped"
    close = get_close_matches(name_or_path, files, n=1)
    hint = f"did you mean {close[0]}? " if close else ""
    known = f"one of {', '.join(sorted(files))}, or " if files else ""
    raise ConfigError(f"{here} has no {name_or_path!r}{elsewhere}; {hint}give {known}a path")


def beside(folder: Path, name: str) -> str:
    """Return the path that *name* has seen from the working directory, *name* being beside a file.

    A file that is only in the working directory is taken from there, as it always was.
    """
    path = folder / name
    return name if Path(name).exists() and not path.exists() else str(path)


def beside_if_path(folder: Path, name_or_path: str) -> str:
    """Return likewise what `find` takes, if it is a path; a name stays one."""
    is_path = "/" in name_or_path or name_or_path.endswith(SUFFIXES)
    return beside(folder, name_or_path) if is_path else name_or_path


def names_of(kind: str) -> list[str]:
    """Return the names that `find` knows of *kind*."""
    return sorted(_files_of(kind))


def _folders_of(kind: str) -> tuple[Path, Path]:
    return Path("config", kind), shipped("config") / kind


def _files_of(kind: str) -> dict[str, Path]:
    files: dict[str, Path] = {}
    for folder in _folders_of(kind):
        for path in sorted(folder.glob("*")):
            if path.suffix in SUFFIXES and (kind != "schedule" or _is_job(path)):
                files.setdefault(path.stem, path)
    return files


def _is_job(path: Path) -> bool:
    """Tell a job from what else lies in schedule/, such as a Kubernetes CronJob."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return True  # Whoever reads it says what is wrong with it.
    return any(line.startswith("job:") for line in lines)


def shipped(folder: str) -> Path:
    """Return capacity's own *folder*, config or locustfiles: in the package, or the checkout's."""
    package = Path(capacity.__file__).parent
    installed = package / "data" / folder
    return installed if installed.is_dir() else package.parent / folder
