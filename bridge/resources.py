"""Finds the project's data folders, in a checkout or inside the installed package."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def resource(name: str) -> Path:
    """The path of a data folder or of a file in one.

    Args:
        name: `firmware`, `device_profiles`, or a path below one of them, with slashes.

    Raises:
        FileNotFoundError: neither place has it: the package is not whole.
    """
    for root in (_PACKAGE / "_data", _PACKAGE.parent):
        path = root / name
        if path.exists():
            return path
    raise FileNotFoundError(f"{name} is not in this installation of bridge; install it again")
