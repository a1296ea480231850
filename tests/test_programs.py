"""tests/programs.py: an absent program skips a user's test and fails continuous integration."""

from __future__ import annotations

import pytest

from tests.programs import require


def test_a_program_that_is_there_is_named_by_its_path() -> None:
    assert require("sh").endswith("/sh")


def test_absent_skips_on_a_users_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no-such-program is not on this machine"):
        require("no-such-program")


def test_absent_fails_in_continuous_integration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="continuous integration must have it"):
        require("no-such-program")
