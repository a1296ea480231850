"""A board on a pseudo-terminal, seen from the program's side of it."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import struct
import termios
import tty
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from bridge.errors import UsageError
from bridge.virtual.board import VirtualBoard
from bridge.virtual.options import VirtualOptions
from bridge.virtual.pty import Pty, host_baud

TIOCGEXCL = 0x80045440


class Program:
    """A program that has the terminal open."""

    def __init__(self, path: str) -> None:
        self.fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        self.seen = b""
        self.ended: int | None = None
        self._news = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self.fd, self._readable)

    def _readable(self) -> None:
        try:
            data = os.read(self.fd, 65536)
        except OSError as error:
            data, self.ended = b"", error.errno
        if not data:
            self.ended = self.ended or 0
            self._loop.remove_reader(self.fd)
        self.seen += data
        self._news.set()

    async def until(self, text: bytes) -> bytes:
        async with asyncio.timeout(20):
            while text not in self.seen:
                self._news.clear()
                await self._news.wait()
        end = self.seen.index(text) + len(text)
        taken, self.seen = self.seen[:end], self.seen[end:]
        return taken

    async def end(self) -> int:
        async with asyncio.timeout(20):
            while self.ended is None:
                self._news.clear()
                await self._news.wait()
        return self.ended

    def set_baud(self, speed: int) -> None:
        settings = termios.tcgetattr(self.fd)
        settings[4] = settings[5] = speed
        termios.tcsetattr(self.fd, termios.TCSANOW, settings)

    def close(self) -> None:
        self._loop.remove_reader(self.fd)
        os.close(self.fd)


def on_a_pty(
    scenario: Callable[[VirtualBoard, Pty], Awaitable[None]],
    options: VirtualOptions | None = None,
    link: Path | None = None,
) -> None:
    async def main() -> None:
        async with VirtualBoard(options or VirtualOptions(boot_text="clear")) as board:
            pty = Pty(board, link)
            await board.answered()
            await scenario(board, pty)
            pty.close()
            pty.close()

    asyncio.run(main())
    assert link is None or not link.is_symlink()


def test_what_the_board_said_before_anybody_opened_is_kept_and_not_echoed_back_to_it() -> None:
    async def scenario(board: VirtualBoard, pty: Pty) -> None:
        program = Program(pty.path)
        boot = await program.until(b"\n> ")
        assert boot.startswith(b"\r\nNodeMCU 3.0.0.0"), "no garbage of the boot ROM's, and from the first byte"
        os.write(program.fd, b"=1+1\n")
        # Had the boot text been echoed back, the board would have run it: errors would come first.
        assert await program.until(b"\n> ") == b"=1+1\r\n2\r\n> "
        program.close()

    on_a_pty(scenario)


def test_the_terminal_is_raw_for_whoever_opens_it() -> None:
    async def scenario(board: VirtualBoard, pty: Pty) -> None:
        program = Program(pty.path)
        settings = termios.tcgetattr(program.fd)
        assert not settings[3] & (termios.ECHO | termios.ICANON | termios.ISIG)
        assert not settings[1] & termios.OPOST
        assert settings[5] == termios.B115200
        program.close()

    on_a_pty(scenario)


def test_the_hosts_speed_is_that_of_the_terminal() -> None:
    async def scenario(board: VirtualBoard, pty: Pty) -> None:
        program = Program(pty.path)
        await program.until(b"\n> ")
        os.write(program.fd, b"uart.setup(0,921600,8,0,1,1)\n")
        await program.until(b"uart.setup(0,921600,8,0,1,1)")
        await asyncio.sleep(0.1)
        program.set_baud(termios.B921600)
        os.write(program.fd, b"\n=6*7\n")
        await program.until(b"42\r\n> ")
        assert board.host_baud == 921600
        program.close()

    on_a_pty(scenario)


def test_boot_text_reaches_a_program_at_its_speed_alone() -> None:
    async def scenario(board: VirtualBoard, pty: Pty) -> None:
        program = Program(pty.path)
        await program.until(b"\n> ")
        board.reset()
        assert await program.until(b"\n> ") == (await reset_text(program, board, 115200))
        text = await reset_text(program, board, None)
        assert b" ets Jan  8 2013,rst cause:2" in text and b"NodeMCU" not in text
        program.close()

    async def reset_text(program: Program, board: VirtualBoard, baud: int | None) -> bytes:
        if baud is not None:
            board.reset()
            return await program.until(b"\n> ")
        # 74880 has no constant in termios: any number goes through termios2 (TCSETS2, BOTHER).
        packed = bytearray(fcntl.ioctl(program.fd, 0x802C542A, bytes(44)))
        flags = struct.unpack_from("I", packed, 8)[0] & ~0o10017 | 0o10000
        struct.pack_into("I", packed, 8, flags)
        struct.pack_into("2I", packed, 36, 74880, 74880)
        fcntl.ioctl(program.fd, 0x402C542B, bytes(packed))
        assert host_baud(program.fd) == 74880
        await asyncio.sleep(0.1)
        board.reset()
        assert await board.answered()
        await asyncio.sleep(0.1)
        return program.seen

    on_a_pty(scenario)


def test_a_flood_waits_in_the_program_as_with_a_serial_driver() -> None:
    async def scenario(board: VirtualBoard, pty: Pty) -> None:
        program = Program(pty.path)
        await program.until(b"\n> ")
        written = 0
        with pytest.raises(BlockingIOError):
            while written < 1 << 20:
                written += os.write(program.fd, b"\n" * 4096)
        await asyncio.sleep(0.2)
        assert board.queued <= 2 * 4096, "the rest waits in the system"
        program.close()

    on_a_pty(scenario)


def test_a_program_that_speaks_at_once_meets_a_board_that_has_been_running() -> None:
    async def scenario(board: VirtualBoard, pty: Pty) -> None:
        program = Program(pty.path)
        os.write(program.fd, b"=1+1\n")
        assert await program.until(b"\n> ") == b"=1+1\r\n2\r\n> "
        program.close()

    on_a_pty(scenario)


def test_exclusive_use_ends_with_the_program() -> None:
    async def scenario(board: VirtualBoard, pty: Pty) -> None:
        program = Program(pty.path)
        fcntl.ioctl(program.fd, termios.TIOCEXCL)
        os.write(program.fd, b"=1+1\n")
        await program.until(b"2\r\n> ")
        exclusive = struct.unpack("i", fcntl.ioctl(program.fd, TIOCGEXCL, bytes(4)))[0]
        assert exclusive == 0, "somebody else must be able to open it when the program is gone"
        program.close()

    on_a_pty(scenario)


def test_what_a_program_leaves_is_not_the_next_ones() -> None:
    async def scenario(board: VirtualBoard, pty: Pty) -> None:
        first = Program(pty.path)
        await first.until(b"\n> ")
        settings = termios.tcgetattr(first.fd)
        settings[1] |= termios.OPOST
        settings[3] |= termios.ECHO | termios.ICANON
        termios.tcsetattr(first.fd, termios.TCSANOW, settings)
        first.close()
        await asyncio.sleep(0.1)
        board.reset()  # nobody listens: what it says is lost, as on a port that nobody has open
        await board.answered()
        second = Program(pty.path)
        assert not termios.tcgetattr(second.fd)[3] & termios.ECHO
        os.write(second.fd, b"=1+1\n")
        assert await second.until(b"\n> ") == b"=1+1\r\n2\r\n> "
        second.close()

    on_a_pty(scenario)


def test_a_program_that_flushes_while_it_sets_the_terminal_up_reads_all_of_the_boot() -> None:
    async def scenario(board: VirtualBoard, pty: Pty) -> None:
        program = Program(pty.path)
        await asyncio.sleep(0.1)  # a slow program
        tty.setraw(program.fd)  # with TCSAFLUSH, as in the players of the recordings
        assert (await program.until(b"\n> ")).startswith(b"\r\nNodeMCU 3.0.0.0")
        program.close()

    on_a_pty(scenario)


def test_a_link_leads_to_the_terminal_and_goes_with_it(tmp_path: Path) -> None:
    link = tmp_path / "board"
    link.symlink_to("/dev/pts/none")  # left by a board that was killed

    async def scenario(board: VirtualBoard, pty: Pty) -> None:
        assert pty.path == str(link) and os.readlink(link) == pty.device
        program = Program(pty.path)
        await program.until(b"\n> ")
        program.close()

    on_a_pty(scenario, link=link)


def test_a_link_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("precious")

    async def main(link: Path) -> None:
        async with VirtualBoard(VirtualOptions(blank=True)) as board:
            Pty(board, link)

    with pytest.raises(UsageError, match="is a file already"):
        asyncio.run(main(tmp_path / "file"))
    assert (tmp_path / "file").read_text() == "precious"
    with pytest.raises(UsageError, match="No such file or directory"):
        asyncio.run(main(tmp_path / "nowhere" / "link"))
    with pytest.raises(UsageError, match="File name too long"):
        asyncio.run(main(tmp_path / ("x" * 300)))


def test_unplugging_ends_the_program_and_plugging_in_gives_another_terminal(tmp_path: Path) -> None:
    async def scenario(board: VirtualBoard, pty: Pty) -> None:
        program = Program(pty.path)
        await program.until(b"\n> ")
        board.unplug()
        assert await program.end() in (0, errno.EIO)
        assert not pty.link or not pty.link.is_symlink()
        program.close()
        board.plug()
        again = Pty(board, pty.link)
        program = Program(again.path)
        assert b"NodeMCU" in await program.until(b"\n> ")
        program.close()
        again.close()

    on_a_pty(scenario, link=tmp_path / "board")
