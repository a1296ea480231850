from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

import bridge
from bridge.child_python import module_command, module_environment

HOME = str(Path(bridge.__file__).parents[1])


@pytest.mark.parametrize("path", [None, "", f"{os.pathsep}other{os.pathsep}", HOME])
def test_modules_come_from_this_package_and_never_from_the_working_folder(
    path: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if path is None:
        monkeypatch.delenv("PYTHONPATH", raising=False)
    else:
        monkeypatch.setenv("PYTHONPATH", path)
    (tmp_path / "json.py").write_text("raise SystemExit('a file of the working folder was run')\n")
    done = subprocess.run(
        [*module_command("bridge.cli"), "--version"],
        capture_output=True, text=True, cwd=tmp_path, env=module_environment(),
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, ""), done
    # An empty part of the path would be the working folder.
    assert all(module_environment()["PYTHONPATH"].split(os.pathsep))
    assert module_environment()["PYTHONPATH"].split(os.pathsep).count(HOME) <= 1
