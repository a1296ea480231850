from __future__ import annotations

import asyncio
import hashlib
import os
import stat
import sys
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from bridge.errors import ImageError, UsageError
from bridge.flashing.backup import load_backup, prepare_backup, restore_flash, save_flash
from bridge.flashing.session import Session
from bridge.image import ImagePart
from bridge.virtual.board import VirtualBoard
from bridge.virtual.options import VirtualOptions
from bridge.virtual.rfc2217 import serve_rfc2217
from tests.unprivileged import unprivileged


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
                before = file.stat()
                with pytest.raises(UsageError, match="cannot be written .File exists"):
                    await save_flash(session, file)
                assert file.stat() == before and os.listdir(tmp_path) == ["flash.bin"]
                data = load_backup(file)
                assert data == board.flash.read(0, 1 << 20)
                assert not await restore_flash(session, file, data)
                board.flash.erase(0x80000, 4096)
                assert await restore_flash(session, file, data)
                assert data == board.flash.read(0, 1 << 20)
            await server.close()

    asyncio.run(scenario())
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_name_for_a_backup_is_looked_at_before_the_board(tmp_path: Path) -> None:
    file = tmp_path / "backup.bin"
    assert prepare_backup(file) is None
    assert not list(tmp_path.iterdir())
    for name in ("", "/"):
        with pytest.raises(UsageError, match="is no name of a file"):
            prepare_backup(Path(name))
    with pytest.raises(UsageError, match="cannot be written .No such file or directory"):
        prepare_backup(tmp_path / "none" / "backup.bin")
    file.write_bytes(b"x")
    with pytest.raises(UsageError, match="cannot be written .Not a directory"):
        prepare_backup(file / "backup.bin")
    for there in (file, tmp_path, Path(os.devnull)):
        with pytest.raises(UsageError, match="is no backup of a flash; it stays as it is"):
            prepare_backup(there)
    whole = b"\xe9" * (1 << 20)
    file.write_bytes(whole)
    made = prepare_backup(file, [ImagePart(0, whole[:-1])])
    assert made is not None and made.timestamp() == pytest.approx(file.stat().st_mtime, abs=1)
    with pytest.raises(UsageError, match="is no backup of a flash"):
        prepare_backup(file, [ImagePart(0, whole)])


@pytest.mark.skipif(sys.platform == "win32", reason="folders have no such permissions")
def test_a_folder_of_somebody_else_gets_no_backup(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    try:
        with unprivileged(), pytest.raises(UsageError, match="cannot be written .Permission denied"):
            prepare_backup(tmp_path / "backup.bin")
    finally:
        tmp_path.chmod(0o755)


def test_a_backup_that_the_disk_has_no_room_for_is_not_begun(tmp_path: Path) -> None:
    session = Session("/dev/none", baud=115_200)
    session.flash_size = 1 << 60  # larger than any disk
    with pytest.raises(UsageError, match="needs 1152921504606846976 bytes, and .* are free there"):
        asyncio.run(save_flash(session, tmp_path / "backup.bin"))
    assert not list(tmp_path.iterdir())


def test_what_is_no_file_is_no_backup(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")  # which nobody writes into
    (tmp_path / "folder").mkdir()
    for name, why in (("pipe", "no plain file"), ("folder", "is a folder"), ("none", "cannot be read")):
        with pytest.raises(ImageError, match=why):
            load_backup(tmp_path / name)


def test_long_names_of_a_backup(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written .File name too long"):
        prepare_backup(tmp_path / ("x" * 256))
    file = tmp_path / ("x" * 255)
    assert prepare_backup(file) is None

    class Read:
        flash_size = 1 << 18
        url = "none"

        async def read(self, at: int, size: int, into: Path) -> None:
            await asyncio.to_thread(into.write_bytes, bytes(size))

        async def md5(self, at: int, size: int) -> str:
            return hashlib.md5(bytes(size)).hexdigest()

    asyncio.run(save_flash(cast(Session, Read()), file))
    assert file.stat().st_size == 1 << 18
