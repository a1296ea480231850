"""Runs tests that need labgrid itself: files `native_*.py`, in its environment, with its own plugin of pytest."""

from __future__ import annotations

import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from bridge.child_python import module_environment
from bridge.labgrid_place.environment import labgrid_python

HERE = Path(__file__).parent


def run_native(name: str, folder: Path, *arguments: str, **variables: str) -> set[str]:
    """Run a file, all of whose tests must pass; gives their names.

    Args:
        name: of the file, without its suffix.
        folder: for its report and settings.
        arguments: for pytest.
        variables: of its environment.
    """
    settings, report = folder / "native.ini", folder / f"{name}.xml"
    settings.write_text("[pytest]\naddopts = --strict-config --strict-markers\n")
    environment = {key: value for key, value in module_environment().items() if not key.startswith(("LG_", "PYTEST_"))}
    done = subprocess.run(
        [
            *(labgrid_python(), "-P", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:hypothesispytest"),
            *("--noconftest", "-c", str(settings), "--rootdir", str(HERE), f"--junitxml={report}"),
            *(*arguments, str(HERE / f"{name}.py")),
        ],
        capture_output=True, text=True, timeout=300, env={**environment, **variables},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    cases = list(ElementTree.parse(report).iter("testcase"))
    assert not [case for case in cases if case.find("skipped") is not None], done.stdout
    return {str(case.get("name")) for case in cases}
