from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bridge.errors import UsageError
from bridge.labgrid_place import environment
from bridge.labgrid_place.environment import FOLDER, VARIABLE, labgrid_python


def test_the_variable_names_a_folder_or_a_python(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    python = tmp_path / "bin" / "python"
    python.symlink_to(sys.executable)
    for named in (tmp_path, python):
        monkeypatch.setenv(VARIABLE, str(named))
        assert labgrid_python() == str(python), "the link itself: it is what makes it an environment"


def test_a_variable_that_names_nothing_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    with pytest.raises(UsageError, match="is no environment of Python. Name the folder of one that has labgrid"):
        labgrid_python()


def test_without_labgrid_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    # A copy of this package that is in no checkout with an environment beside it.
    monkeypatch.setattr(environment, "__file__", str(tmp_path / "bridge" / "labgrid_place" / "environment.py"))
    with pytest.raises(UsageError, match="labgrid is not installed here. Run scripts/labgrid_environment"):
        labgrid_python()


def test_the_environment_of_the_checkout_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr(environment, "__file__", str(tmp_path / "bridge" / "labgrid_place" / "environment.py"))
    python = tmp_path / FOLDER / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    assert labgrid_python() == str(python)
