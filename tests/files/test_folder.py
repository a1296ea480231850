from __future__ import annotations

from pathlib import Path

import pytest

from bridge.errors import FileSystemFull, UsageError
from bridge.files.folder import Plan, check_room, read_folder
from bridge.files.space import PAGE, Space, pages_of


def test_a_folder_has_names_as_on_the_board(tmp_path: Path) -> None:
    for name in ("init.lua", "www/index.html", "www/deep/a", ".hidden", ".git/config", "www/.x"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    (tmp_path / "link").symlink_to(tmp_path)
    (tmp_path / "www" / "b").symlink_to("index.html")
    folder = read_folder(tmp_path)
    assert folder.files.pop("www/b") == b"www/index.html"
    assert folder.files == {name: name.encode() for name in ("init.lua", "www/index.html", "www/deep/a")}
    assert folder.left_out == (".git", ".hidden", "link", "www/.x")


def test_what_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"")
    for name, why in (("a", "is no folder"), ("nosuch", "is not there"), ("x" * 300, "cannot be read .File name too")):
        with pytest.raises(UsageError, match=why):
            read_folder(tmp_path / name)


def test_a_name_that_the_board_cannot_have(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / ("x" * 25)).write_bytes(b"")
    with pytest.raises(UsageError, match="32 bytes"):
        read_folder(tmp_path)


def test_room_is_judged_step_by_step() -> None:
    files = {"a": b"x" * 10 * PAGE, "b": b"x" * 10 * PAGE}
    there = {"a": 10 * PAGE, "c": 20 * PAGE}
    plan = Plan(send=["a", "b"], others=["c"])

    def space(pages: int) -> Space:
        found = Space((pages + 6) * PAGE, 0)
        assert found.pages == pages
        return found

    # The old a goes when the new one is there; b is new.
    check_room(plan, files, there, space(pages_of(10 * PAGE)), "port")
    with pytest.raises(FileSystemFull, match="no room for a .2510 bytes."):
        check_room(plan, files, there, space(pages_of(10 * PAGE) - 1), "port")
    with pytest.raises(FileSystemFull, match="no room for b"):
        check_room(Plan(send=["a", "b"]), files, {}, space(2 * pages_of(10 * PAGE) - 1), "port")
    check_room(Plan(send=["a", "b"], remove=["c"]), files, there, space(0), "port")
