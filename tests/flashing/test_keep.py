from __future__ import annotations

import asyncio
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.errors import UsageError
from bridge.flashing.keep import files_survive, put_files, save_files
from bridge.opening import open_board
from bridge.virtual.board import VirtualBoard
from bridge.virtual.options import VirtualOptions
from bridge.virtual.rfc2217 import serve_rfc2217
from tests.images import image, parts
from tests.test_flash import MANY

FILES = {"init.lua": b"print(1)", "a/b c": bytes(range(256)) * 9, "empty": b"", ".x": b"."}


def test_files_there_and_back(tmp_path: Path) -> None:
    folder = tmp_path / "files"

    async def scenario() -> None:
        async with VirtualBoard(replace(VirtualOptions(), baud_pacing=False, flash=0, cpu=0)) as virtual:
            server = await serve_rfc2217(virtual)
            url = server.url
            async with open_board(url) as board:
                for name, data in FILES.items():
                    await board.file.putcontents(name, data)
            assert await files_survive(url, parts(image()))
            assert not await files_survive(url, parts(image(",".join(sorted(MANY)))))
            assert await save_files(url, folder) == sorted(FILES)
            assert await put_files(url, folder) == []
            async with open_board(url) as board:
                await board.file.remove("a/b c")
                await board.file.putcontents("init.lua", b"print(2)")
            assert sorted(await put_files(url, folder)) == ["a/b c", "init.lua"]
            async with open_board(url) as board:
                assert {name: await board.file.getcontents(name) or b"" for name in FILES} == FILES
                assert sorted(await board.file.list()) == sorted(FILES)
            with pytest.raises(UsageError, match="not empty"):
                await save_files(url, folder)
            await server.close()

    asyncio.run(scenario())
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
