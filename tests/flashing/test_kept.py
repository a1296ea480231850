from __future__ import annotations

import stat
from pathlib import Path

import pytest

from bridge.errors import UsageError
from bridge.flashing.kept import Kept, board_name, default_root, host_name

MAC = "5c:cf:7f:00:a1:22"
#: Names that a board can have and a folder cannot, or not beside each other.
NAMES = [".", "..", "init.lua", "INIT.LUA", "Init.lua", "a/b c", ".x", "%61", "a", "caf\udce9", "ü" * 15, "x."]


def test_what_was_saved_is_there_until_it_is_back(tmp_path: Path) -> None:
    root = tmp_path / "files"
    files = {name: name.encode("utf-8", "surrogateescape") * 3 for name in NAMES}
    kept = Kept(MAC, root)
    assert kept.folder is None and kept.read() == {}
    folder = kept.save(files, (0x90000, 0x36D000))
    assert Kept("00a122", root).read() == files and Kept(MAC, root).folder == folder
    assert kept.place == (0x90000, 0x36D000) and len(kept.when) == 16
    assert Kept("00a123", root).folder is None
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    for name in NAMES[1:]:
        kept.back(name)
    assert Kept(MAC, root).read() == {".": b"..."}
    kept.drop()
    assert kept.folder is None and not list(root.iterdir())


def test_saving_again_takes_the_place_of_what_was_saved_and_a_cut_one_is_cleared_away(tmp_path: Path) -> None:
    kept = Kept(MAC, tmp_path)
    kept.save({"a": b"1"}, None)
    (tmp_path / "00a122" / ".new-cut").mkdir()  # as a kill leaves it
    assert kept.read() == {"a": b"1"}
    kept.save({"a": b"2", "b": b""}, None)
    assert kept.read() == {"a": b"2", "b": b""} and kept.place is None
    assert [path.name for path in (tmp_path / "00a122").iterdir()] == ["2"]


def test_saving_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be used.*too long"):
        Kept(MAC, tmp_path).save({"a": b"1", "n" * 300: b""}, None)
    assert not list(tmp_path.iterdir())
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="cannot be used"):
        Kept(MAC, tmp_path / "file").save({"a": b"1"}, None)


def test_names_are_apart_also_where_case_counts_for_nothing() -> None:
    taken: set[str] = set()
    made = [host_name(name, taken) for name in NAMES]
    assert len({name.lower() for name in made}) == len(NAMES)
    assert [board_name(name) for name in made] == NAMES
    assert made[2] == "init.lua" and not any(name.startswith(".") or "/" in name for name in made)


def test_the_folder_follows_the_rules_for_state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert default_root() == tmp_path / "nodemcu-bridge" / "files"


def test_when_the_last_file_is_back_nothing_is_kept_also_where_the_run_was_cut_off_then(tmp_path: Path) -> None:
    kept = Kept(MAC, tmp_path)
    kept.save({"a": b"1", "b": b"2"}, None)
    assert kept.whole
    kept.back("a")
    assert kept.folder is not None and not kept.whole
    kept.back("b")
    assert Kept(MAC, tmp_path).folder is None and not kept.whole and not list(tmp_path.iterdir())
