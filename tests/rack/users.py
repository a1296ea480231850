"""Runs Python as other users of this computer, which only root can, for tests."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from bridge.child_python import module_environment

ROOT = Path(__file__).parents[2]
#: Users that no system has names for.
ONE, TWO = 61234, 61235


def environment() -> dict[str, str]:
    """In which this project and what it needs are found by any Python of this version."""
    paths = [str(ROOT), sysconfig.get_paths()["purelib"]]
    return {**module_environment(), "PYTHONPATH": os.pathsep.join(paths), "PYTHONDONTWRITEBYTECODE": "1"}


def whose(user: int | None) -> dict[str, Any]:
    """Arguments of `subprocess` for a user; None for the own one."""
    return {} if user is None else {"user": user, "group": user, "extra_groups": []}


@functools.cache
def python_for_all() -> str | None:
    """A Python that every user can run, as root's own may be for root alone; None if there is none, or no root here."""
    if os.getuid() != 0:
        return None
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for python in (sys.executable, shutil.which(name, path="/usr/local/bin:/usr/bin")):
        try:
            tried = subprocess.run(
                [python or "", "-P", "-c", "import bridge.rack.rack"], env=environment(), cwd="/", **whose(ONE),
                capture_output=True, check=False,
            )  # fmt: skip
        except OSError:
            continue
        if tried.returncode == 0:
            return python
    return None


needs_root = pytest.mark.skipif(python_for_all() is None, reason="only root can be another user")


def run_as(user: int | None, code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run some Python as a user, and see that it ends well."""
    return subprocess.run(
        [python_for_all() or sys.executable, "-P", "-c", code, *map(str, arguments)], env=environment(), cwd=ROOT,
        **whose(user), capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip


@contextmanager
def shared_folder() -> Iterator[Path]:
    """A state folder for all users; pytest's own folders are for one.

    The keeper of a process that was killed may still write to it at the end.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        os.chmod(name, 0o755)
        folder = Path(name) / "state"
        folder.mkdir()
        folder.chmod(0o1777)
        yield folder
