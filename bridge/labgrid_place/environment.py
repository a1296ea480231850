"""Where labgrid is: in this environment, or in one of its own."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

from bridge.errors import UsageError

#: Names the folder of an environment that has labgrid and this package, or its Python.
VARIABLE = "NODEMCU_BRIDGE_LABGRID"
#: What `scripts/labgrid_environment` makes, in the checkout.
FOLDER = ".venv-labgrid"


def labgrid_python() -> str:
    """The Python that has labgrid: this one, that of `NODEMCU_BRIDGE_LABGRID`, or that of the checkout's environment.

    Raises:
        UsageError: there is none, or what the variable names is none.
    """
    named = os.environ.get(VARIABLE)
    if named:
        python = _python_in(Path(named))
        if python is None:
            raise UsageError(
                f"{VARIABLE}={named} is no environment of Python", remedy="Name the folder of one that has labgrid."
            )
        return python
    if importlib.util.find_spec("labgrid") is not None:
        return sys.executable
    python = _python_in(Path(__file__).resolve().parents[2] / FOLDER)
    if python is None:
        raise UsageError(
            "labgrid is not installed here",
            remedy=f"Run scripts/labgrid_environment, which makes an environment for it, or name one in {VARIABLE}.",
        )
    return python


def _python_in(place: Path) -> str | None:
    for python in (place, place / "bin" / "python"):
        if python.is_file() and os.access(python, os.X_OK):
            return str(python.absolute())
    return None
