from __future__ import annotations

import asyncio
from pathlib import Path

from bridge.terminal.history import ChunkHistory, default_file
from tests.homeless import be_homeless


def loaded(history: ChunkHistory) -> list[str]:
    async def load() -> list[str]:
        return [entry async for entry in history.load()]

    return asyncio.run(load())


def test_chunks_are_whole_and_the_newest_comes_first(tmp_path: Path) -> None:
    history = ChunkHistory(tmp_path / "new" / "file")
    history.append_string("a line of an unfinished chunk")
    history.keep("one")
    history.keep("if a then\n  b()\nend")
    history.keep("if a then\n  b()\nend")
    history.keep(" \n")
    assert loaded(ChunkHistory(tmp_path / "new" / "file")) == ["if a then\n  b()\nend", "one"]
    assert (tmp_path / "new" / "file").stat().st_mode & 0o777 == 0o600


def test_secrets_are_not_written(tmp_path: Path) -> None:
    file = tmp_path / "file"
    history = ChunkHistory(file)
    for chunk in ("wifi.sta.config{ssid='home', pwd='QXZJVWKP'}", " x = 'QXZJVWKP'", "password = 'QXZJVWKP'"):
        history.keep(chunk)
    history.keep("print(1)")
    assert "QXZJ" not in file.read_text() and loaded(ChunkHistory(file)) == ["print(1)"]
    assert len(history.get_strings()) == 4, "as long as the terminal lives they are there"


def test_a_file_that_cannot_be_used_costs_only_the_memory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for file in (tmp_path / "file" / "below", tmp_path):
        history = ChunkHistory(file)
        history.keep("x = 1")
        assert loaded(ChunkHistory(file)) == []


def test_a_file_that_grew_keeps_its_newest_half(tmp_path: Path) -> None:
    file = tmp_path / "file"
    history = ChunkHistory(file)
    for number in range(3000):
        history.keep(f"print({number}, '{'x' * 100}')")
    assert file.stat().st_size > 256 * 1024
    found = loaded(ChunkHistory(file))
    assert file.stat().st_size < 140 * 1024 and found[0].startswith("print(2999") and all("print(" in e for e in found)


def test_the_users_own_file(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setenv("XDG_STATE_HOME", "/state")
    assert default_file() == Path("/state/nodemcu-bridge/repl_history")


def test_without_a_home_folder_nothing_is_kept(monkeypatch, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    be_homeless(monkeypatch)
    monkeypatch.chdir(tmp_path)
    history = ChunkHistory()
    history.keep("print(1)")
    assert list(history.get_strings()) == ["print(1)"] and loaded(ChunkHistory()) == []
    assert not list(tmp_path.iterdir())
