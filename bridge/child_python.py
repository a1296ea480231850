"""Starts modules of this package in a Python of their own, which runs nothing that lies in the working folder.

`python -m` looks for modules in the working folder first: a `json.py` that a user has there would be run.
"""

from __future__ import annotations

import os
import site
import sys
from pathlib import Path


def module_command(module: str) -> list[str]:
    """The command line that runs a module, without its arguments; for the environment of `module_environment`."""
    return [sys.executable, "-P", "-m", module]


def module_environment() -> dict[str, str]:
    """This process's environment, in which modules come from where this one's come from."""
    # -P leaves the working folder out, in which this package may lie: a copy of the sources that is not installed.
    home = str(Path(__file__).resolve().parents[1])
    paths = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    if home not in (*paths, *site.getsitepackages(), site.getusersitepackages()):
        paths.append(home)
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}


def some_home() -> dict[str, str]:
    """`HOME` for a program that does not start without one (esptool 5.6), where this user has none; else nothing."""
    try:
        Path.home()
    except RuntimeError:
        return {"HOME": os.devnull}  # in which nobody can put anything
    return {}
