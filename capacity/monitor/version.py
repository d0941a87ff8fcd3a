"""The version that the agent answers with: the installed package's, where it was installed."""

from importlib.metadata import PackageNotFoundError, version


def agent_version() -> str:
    """Return the version of the package; `unpackaged` where only its files were copied."""
    try:
        return version("capacity")
    except PackageNotFoundError:
        return "unpackaged"
