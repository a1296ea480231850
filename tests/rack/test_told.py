from __future__ import annotations

import os
from pathlib import Path

import pytest

from bridge.rack.told import parsed, plain, read_text, read_told, seconds, whole


def test_what_is_told_is_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_text('{"a": "ü"}', encoding="utf-8")
    assert read_told(str(tmp_path / "a")) == {"a": "ü"}
    assert read_text(str(tmp_path / "a"), 4) == '{"a"'


@pytest.mark.parametrize("text", ["", "[1]", '{"a": ', "[" * 60_000, "\xff", '{"a": ' + "9" * 5000 + "}"])
def test_what_is_no_object_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "a").write_text(text, encoding="latin-1")
    assert read_told(str(tmp_path / "a")) is None


def test_nobody_waits_for_a_pipe_or_follows_a_link(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/dev/zero")
    (tmp_path / "folder").mkdir()
    for name in ("pipe", "link", "folder", "nothing"):
        assert read_told(str(tmp_path / name)) is None
    assert read_text(str(tmp_path / "pipe")) == ""


def test_only_what_can_be_meant_is_taken() -> None:
    assert (seconds(1), seconds(2.5)) == (1.0, 2.5)
    strange = (parsed(text) for text in ('"1"', "NaN", "Infinity", "-1", "1" + "0" * 400, "1e300", "null", "[]"))
    assert [seconds(value) for value in strange] == [None] * 8
    assert [whole(value) for value in (3, True, -1, 1 << 60, 1.0, "1")] == [3, None, None, None, None, None]
    assert plain("a\x1b[2Jb\n", 5) == "a?[2J" and plain(3, 5) is None
