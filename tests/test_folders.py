from __future__ import annotations

from pathlib import Path

import pytest

from bridge.errors import UsageError
from bridge.folders import firmware_folder, profile_folder, state_folder
from tests.homeless import be_homeless


def test_by_the_rules_of_xdg(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("NODEMCU_BRIDGE_PROFILES", "NODEMCU_BRIDGE_FIRMWARE", "XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert profile_folder() == tmp_path / ".config/nodemcu-bridge/profiles"
    assert firmware_folder() == tmp_path / ".local/share/nodemcu-bridge/firmware"
    monkeypatch.setenv("XDG_STATE_HOME", "relative")
    assert state_folder() == tmp_path / ".local/state/nodemcu-bridge"
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "c"))
    monkeypatch.setenv("XDG_DATA_HOME", "relative")
    assert profile_folder() == tmp_path / "c/nodemcu-bridge/profiles"
    assert firmware_folder() == tmp_path / ".local/share/nodemcu-bridge/firmware"


def test_elsewhere_when_told_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NODEMCU_BRIDGE_PROFILES", str(tmp_path / "p"))
    monkeypatch.setenv("NODEMCU_BRIDGE_FIRMWARE", str(tmp_path / "f"))
    assert (profile_folder(), firmware_folder()) == (tmp_path / "p", tmp_path / "f")
    assert list(tmp_path.iterdir()) == []


def test_without_a_home_folder_one_sentence_says_what_to_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    be_homeless(monkeypatch)
    for folder, variable in ((profile_folder, "CONFIG"), (firmware_folder, "DATA"), (state_folder, "STATE")):
        with pytest.raises(UsageError, match=f"no home folder .*Set HOME, or XDG_{variable}_HOME"):
            folder()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert state_folder() == tmp_path / "nodemcu-bridge"
