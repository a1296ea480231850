from __future__ import annotations

import asyncio
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.errors import UsageError
from bridge.flashing.backup import load_backup, restore_flash, save_flash
from bridge.flashing.session import Session
from bridge.virtual.board import VirtualBoard
from bridge.virtual.options import VirtualOptions
from bridge.virtual.rfc2217 import serve_rfc2217


def test_there_and_back_by_steps(tmp_path: Path) -> None:
    file = tmp_path / "flash.bin"

    async def scenario() -> None:
        async with VirtualBoard(
            replace(VirtualOptions(), baud_pacing=False, flash=0, cpu=0, flash_size=1 << 20)
        ) as board:
            server = await serve_rfc2217(board)
            async with Session(server.url, baud=921_600) as session:
                with pytest.raises(UsageError, match="cannot be written"):
                    await save_flash(session, tmp_path / "no" / "flash.bin")
                await save_flash(session, file)
                data = load_backup(file)
                assert data == board.flash.read(0, 1 << 20)
                assert not await restore_flash(session, data)
                board.flash.erase(0x80000, 4096)
                assert await restore_flash(session, data)
                assert data == board.flash.read(0, 1 << 20)
            await server.close()

    asyncio.run(scenario())
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
