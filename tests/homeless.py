"""A user without a home folder, as in a container that runs as some number, or in a service."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest


def be_homeless(patch: pytest.MonkeyPatch, programs: Path | None = None) -> None:
    """Neither the environment nor the list of users names a home folder, or a user, until the end of the test.

    Args:
        patch: undoes it.
        programs: an empty folder; then that is so for Python programs that are started, too.
    """

    def unknown(uid: int) -> pwd.struct_passwd:
        raise KeyError(f"getpwuid(): uid not found: {uid}")

    for name in list(os.environ):
        if name in ("HOME", "LOGNAME", "USER", "LNAME", "USERNAME") or name.startswith(("XDG_", "NODEMCU_BRIDGE_")):
            patch.delenv(name)
    patch.setattr(pwd, "getpwuid", unknown)
    if programs is not None:
        (programs / "sitecustomize.py").write_text("import pwd\n\n\ndef getpwuid(uid):\n    raise KeyError(uid)\n\n\n"
                                                   "pwd.getpwuid = getpwuid\n")  # fmt: skip
        patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, (str(programs), os.environ.get("PYTHONPATH")))))
