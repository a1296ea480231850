from __future__ import annotations

import asyncio
import hashlib
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.errors import FlashError, UsageError
from bridge.flashing.session import Session
from bridge.ports.esptool_session import MARK
from bridge.virtual.board import Deliver, VirtualBoard
from bridge.virtual.options import VirtualOptions
from bridge.virtual.rfc2217 import serve_rfc2217
from tests.buttons import hold_flash_and_press_reset
from tests.ports.test_serial import Master
from tests.test_flash import runs

QUICK = VirtualOptions(baud_pacing=False, flash=0, cpu=0)


def test_several_steps_in_one_connection(tmp_path: Path) -> None:
    log, file, saved = tmp_path / "log", tmp_path / "new", tmp_path / "saved"
    file.write_bytes(b"nodemcu!" * 512)
    saved.touch()

    async def scenario() -> None:
        async with VirtualBoard(replace(QUICK, mac="5c:cf:7f:01:02:03")) as board:
            server = await serve_rfc2217(board)
            async with Session(server.url, baud=460_800, log=log) as session:
                assert (session.chip, session.mac, session.flash_size) == ("ESP8266EX", "5c:cf:7f:01:02:03", 4 << 20)
                before = board.flash.read(0, 4096)
                assert await session.md5(0, 4096) == hashlib.md5(before).hexdigest()
                assert await session.peek(0, 16) == before[:16]
                await session.write([(0x90000, file)])
                await session.read(0x90000, 4096, saved)
                assert saved.read_bytes() == file.read_bytes() == board.flash.read(0x90000, 4096)
                await session.reset()
            await board.answered()
            await server.close()

    asyncio.run(scenario())
    assert log.read_text().count("Connecting") == 1


def test_a_board_without_reset_lines_that_waits_in_its_loader() -> None:
    async def scenario() -> None:
        async with VirtualBoard(QUICK) as board:
            server = await serve_rfc2217(board)
            await hold_flash_and_press_reset(board)
            async with Session(server.url, baud=460_800, lines=False) as session:
                assert session.chip == "ESP8266EX"
                await session.reset()
            assert await board.answered()
            await server.close()

    asyncio.run(scenario())


def test_a_board_without_reset_lines_is_started_when_nothing_comes_of_it() -> None:
    async def scenario() -> None:
        async with VirtualBoard(QUICK) as board:
            server = await serve_rfc2217(board)
            await hold_flash_and_press_reset(board)
            with pytest.raises(UsageError, match="refused"):
                async with Session(server.url, baud=460_800, lines=False):
                    raise UsageError("refused")
            assert await runs(server.url)
            await server.close()

    asyncio.run(scenario())


def test_silence_in_place_of_a_rom_loader() -> None:
    async def scenario() -> None:
        master = Master()
        try:
            with pytest.raises(FlashError, match="No ESP8266 answers.*Press both"):
                async with Session(master.path, baud=115_200, attempts=1, by_hand="Press both."):
                    pass
        finally:
            master.close()

    asyncio.run(scenario())


#: SLIP's frame of the answer to MEM_END, with which the ROM lets go, and what a flasher says when it has started.
_LET_GO, _STARTED = b"\xc0\x01\x06", b"\xc0OHAI\xc0"


class Distant(VirtualBoard):
    """A board whose ROM is heard half a second late when it lets go, as over a slow network."""

    late = 0

    def set_host_receiver(self, receiver: Deliver | None, *, end: str = "host") -> None:
        def later(data: bytes) -> None:
            assert receiver is not None
            if _LET_GO in data or _STARTED in data:
                self.late += 1
                asyncio.get_running_loop().call_later(0.5, receiver, data)
            else:
                receiver(data)

        super().set_host_receiver(receiver and later, end=end)


class Deafened(VirtualBoard):
    """A board whose word that the flasher has started is damaged once on its way."""

    damaged = 0

    def set_host_receiver(self, receiver: Deliver | None, *, end: str = "host") -> None:
        def damage(data: bytes) -> None:
            assert receiver is not None
            if _STARTED in data and not self.damaged:
                self.damaged += 1
                data = data.replace(_STARTED, b"\xc0OH\x00I\xc0")
            receiver(data)

        super().set_host_receiver(receiver and damage, end=end)


def test_a_rom_that_is_heard_late() -> None:
    async def scenario() -> None:
        async with Distant(QUICK) as board:
            server = await serve_rfc2217(board)
            async with Session(server.url, baud=115_200) as session:
                assert session.chip == "ESP8266EX" and board.late
                await session.reset()
            await server.close()

    asyncio.run(scenario())


def test_a_flasher_that_is_not_heard_is_started_once_more() -> None:
    async def scenario() -> None:
        async with Deafened(QUICK) as board:
            server = await serve_rfc2217(board)
            async with Session(server.url, baud=460_800) as session:
                assert (session.chip, session.baud, board.damaged) == ("ESP8266EX", 460_800, 1)
                await session.reset()
            await server.close()

    asyncio.run(scenario())


def test_a_log_that_cannot_be_written_is_said_before_the_board_is_touched(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with Session("/dev/none", baud=115_200, log=tmp_path / "no" / "log"):
            pass

    with pytest.raises(UsageError, match="log cannot be written .No such file"):
        asyncio.run(scenario())


def test_a_file_that_cannot_be_used_is_no_lost_port(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with VirtualBoard(QUICK) as board:
            server = await serve_rfc2217(board)
            with pytest.raises(FileNotFoundError, match="none"):
                async with Session(server.url, baud=460_800) as session:
                    await session.write([(0, tmp_path / "none")])
            assert not session.half_written
            with pytest.raises(IsADirectoryError):
                async with Session(server.url, baud=460_800) as session:
                    await session.read(0, 16, tmp_path)
            await server.close()

    asyncio.run(scenario())


def test_a_log_whose_disk_is_full_is_said() -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")

    async def scenario() -> None:
        async with Session("/dev/none", baud=115_200, log=full):
            pass

    with pytest.raises(UsageError, match="log /dev/full cannot be written .No space left"):
        asyncio.run(scenario())


def test_python_files_of_the_folder_one_is_in_are_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("serial", "esptool", "json", "bridge"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('this is no part of it')\n")
    monkeypatch.chdir(tmp_path)

    async def scenario() -> None:
        async with VirtualBoard(QUICK) as board:
            server = await serve_rfc2217(board)
            async with Session(server.url, baud=460_800) as session:
                assert session.chip == "ESP8266EX"
            await server.close()

    asyncio.run(scenario())


@pytest.mark.skipif(sys.platform == "win32", reason="has no signals")
def test_a_process_that_is_killed_is_told_as_such() -> None:
    async def scenario() -> None:
        async with VirtualBoard(QUICK) as board:
            server = await serve_rfc2217(board)
            with pytest.raises(FlashError) as caught:
                async with Session(server.url, baud=460_800) as session:
                    session._process.kill()  # as a computer without memory does
                    await session.md5(0, 4096)
            assert "esptool failed: its process was ended by SIGKILL." in str(caught.value)
            await server.close()

    asyncio.run(scenario())


def test_a_log_holds_nothing_of_what_is_in_the_flash(tmp_path: Path) -> None:
    log = tmp_path / "log"

    async def scenario() -> bytes:
        async with VirtualBoard(QUICK) as board:
            server = await serve_rfc2217(board)
            async with Session(server.url, baud=460_800, log=log) as session:
                found = await session.peek(0x10000, 256)
            await server.close()
            return found

    found = asyncio.run(scenario())
    said = log.read_text()
    assert len(found) == 256 and found.hex() not in said and MARK not in said and said.endswith("\n")
    assert "Connecting" in said and "Resetting" not in said
