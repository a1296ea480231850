"""A user without a home folder, as in a container that runs as some number, or in a service."""

from __future__ import annotations

import os
import pwd

import pytest


def be_homeless(patch: pytest.MonkeyPatch) -> None:
    """Neither the environment nor the list of users names a home folder, or a user, until the end of the test."""

    def unknown(uid: int) -> pwd.struct_passwd:
        raise KeyError(f"getpwuid(): uid not found: {uid}")

    for name in list(os.environ):
        if name in ("HOME", "LOGNAME", "USER", "LNAME", "USERNAME") or name.startswith(("XDG_", "NODEMCU_BRIDGE_")):
            patch.delenv(name)
    patch.setattr(pwd, "getpwuid", unknown)
