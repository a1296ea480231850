"""System programs that tests drive: absent is a skip on a user's machine, and a failure in continuous integration."""

from __future__ import annotations

import os
import shutil

import pytest


def require(name: str) -> str:
    """The path of a system program.

    Where it is absent the test is skipped with a reason that says so; under `CI=true` it fails instead.
    """
    # Debian keeps servers where not every user's PATH looks.
    path = shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin")
    if path is not None:
        return path
    message = f"{name} is not on this machine"
    if os.environ.get("CI") == "true":
        pytest.fail(f"{message}, and continuous integration must have it: add it to .ci/run")
    pytest.skip(f"{message}: install it to run this test")
