from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

from bridge.errors import UsageError
from bridge.terminal.commands import COMMANDS, CommandCompleter, run_command, split_words
from bridge.terminal.editor import Leave


class Board:
    """What the commands work with, in memory."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {"there": b"x"}
        self.ran: list[tuple[str, bytes]] = []
        self.resets = 0

    async def put(self, name: str, data: bytes) -> None:
        self.files[name] = data

    async def get(self, name: str) -> bytes:
        return self.files[name]

    async def run_file(self, name: str, source: bytes) -> None:
        self.ran.append((name, source))

    async def reset(self) -> None:
        self.resets += 1


def do(line: str, board: Board | None = None) -> str:
    return asyncio.run(run_command(board or Board(), line))


def test_files_both_ways(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a b.lua").write_bytes(b"\0\xff")
    board = Board()
    assert do("%put 'a b.lua'", board) == "a b.lua: 2 bytes\n" and board.files["a b.lua"] == b"\0\xff"
    assert do(f"%put {tmp_path.as_uri()}/a%20b.lua init.lua", board) == "init.lua: 2 bytes\n"
    assert do("%get init.lua", board) == "init.lua: 2 bytes\n" and (tmp_path / "init.lua").read_bytes() == b"\0\xff"
    assert do("%run a\\ b.lua", board) == "" and board.ran == [("a b.lua", b"\0\xff")]
    assert do("%get there ../" + tmp_path.name + "/copy", board) and (tmp_path / "copy").read_bytes() == b"x"
    do("%reset", board)
    assert board.resets == 1


def test_a_name_of_the_board_does_not_leave_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    board = Board()
    board.files["../outside"] = b"1"
    assert do("%get ../outside", board) == "outside: 1 bytes\n" and (tmp_path / "outside").exists()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("%nonsense", "There are %help, %put"),
        ("%", "There are %help, %put"),
        ("%put", "%put is written %put FILE"),
        ("%put a b c", "%put is written %put FILE"),
        ("%put nosuch", "nosuch cannot be read"),
        ("%put 'open", "A quote has no end"),
        ("%put .", "cannot be read"),
        ("%get there there", "there is there already"),
        ("%get there no/folder", "cannot be written"),
        ("%put there " + "n" * 32, "at most 31"),
    ],
)
def test_what_cannot_be_is_one_sentence(line: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").write_text("")
    with pytest.raises(UsageError, match=words):
        do(line)


def test_help_names_all_and_leave_leaves() -> None:
    told = do("%help")
    assert all(f"%{command.form}" in told for command in COMMANDS.values()) and "Ctrl-]" in told
    with pytest.raises(Leave):
        do("%leave")


def test_a_home_is_filled_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    assert split_words("~/a 'b c' d\\ e") == ["/home/me/a", "b c", "d e"]


def test_names_and_paths_are_completed(tmp_path: Path) -> None:
    (tmp_path / "program.lua").write_text("")

    def completed(text: str) -> list[str]:
        return [each.text for each in CommandCompleter().get_completions(Document(text), CompleteEvent())]

    assert completed("%p") == ["put"] and completed("%put ") and completed("x %p") == []
    assert completed(f"%put {tmp_path}/pro") == ["gram.lua"]
    assert completed("print(") == []
