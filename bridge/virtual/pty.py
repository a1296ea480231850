"""A virtual board on a pseudo-terminal, for programs that know nothing but serial ports.

A pseudo-terminal has no modem lines (DTR and RTS fail with ENOTTY) and no wire. The host's baud is what the program
set on its end, read back through the other end.

What the board says before the first program opens the port is kept for it, until the program has set the terminal up
(most flush it while they do) and has listened for a moment. A program that speaks at once takes the board for one that
has been running for a while, and would be confused by its boot text: for that one it is dropped. Between programs
nobody listens, and what the board says is lost, as on a serial port that nobody has open.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import struct
import sys
import termios
import tty
from pathlib import Path

from bridge.errors import UsageError
from bridge.ports.base import CONSOLE_BAUD
from bridge.virtual.board import VirtualBoard
from bridge.virtual.openers import Openers

#: Bytes a serial driver takes before a program's write waits (the tty layer's buffer).
DRIVER_BYTES = 4096
#: Bytes kept for a program that does not read; the oldest go first.
KEPT_BYTES = 1 << 20
#: How often the terminal's settings are looked at while the host writes nothing, in seconds.
POLL_S = 0.02
#: How long a program listens to the port it opened before it gets what was kept, in seconds.
LISTENS_S = 0.2
#: How long it may take to set the terminal up; and from the board's start, where the system does not tell of openings.
SET_UP_S = 1.0
#: `VTIME` of a terminal that no program has set up; harmless to one that never does.
_UNTOUCHED = 1

# struct termios2 of asm-generic/termbits.h: four flag words, line discipline, 19 characters, two speeds as numbers.
_TCGETS2 = 0x802C542A
_TERMIOS2 = struct.Struct("4IB19B2I")
_SPEEDS = {value: int(name[1:]) for name, value in vars(termios).items() if name[0] == "B" and name[1:].isdigit()}


def host_baud(fd: int) -> int | None:
    """The output speed of a terminal in baud, any number on Linux; None if it has none (B0)."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            packed = fcntl.ioctl(fd, _TCGETS2, bytes(_TERMIOS2.size))
            return int(_TERMIOS2.unpack(packed)[-1]) or None
    return _SPEEDS.get(termios.tcgetattr(fd)[5]) or None


class Pty:
    """One pseudo-terminal with a board behind it. The board's unplugging ends it for the programs that have it open.

    Args:
        board: a started board.
        link: path of a symbolic link to make to the terminal, or None. A link that is there is replaced.

    Raises:
        UsageError: there is something else at that path, or no such folder.
    """

    def __init__(self, board: VirtualBoard, link: Path | None = None) -> None:
        self._board = board
        self._loop = asyncio.get_running_loop()
        self._pending = bytearray()
        self._keeping = True
        self._heard = False
        self._writing = False
        self._resume: asyncio.TimerHandle | None = None
        self._closed = False
        # This end of the program's side stays open: the terminal's settings and what waits in it outlive programs.
        self._master, self._slave = os.openpty()
        self._set_up(getattr(termios, f"B{CONSOLE_BAUD}"))
        os.set_blocking(self._master, False)
        self.device = os.ttyname(self._slave)
        self.link = link
        try:
            if link is not None:
                _make_link(link, self.device)
        except BaseException:
            os.close(self._master)
            os.close(self._slave)
            raise
        self._baud = CONSOLE_BAUD
        board.set_host_baud(CONSOLE_BAUD)
        board.set_host_receiver(self._deliver, end="pty")
        board.on_unplug.append(self._hang_up)
        self._loop.add_reader(self._master, self._readable)
        self._openers = Openers(self.device, self._opened_or_closed)
        self._opened_at = self._loop.time()
        self._poll = self._loop.call_later(POLL_S, self._look)

    @property
    def path(self) -> str:
        """What a program opens: the link if there is one, else the terminal itself."""
        return str(self.link) if self.link is not None else self.device

    def close(self) -> None:
        """Give the terminal back; a program that has it open reads its end. Calling it again does nothing."""
        self._hang_up()
        if self._slave >= 0:
            os.close(self._slave)
            self._slave = -1

    def _hang_up(self) -> None:
        """The end of it for programs. Its name stays taken until `close`, so that the next one gets another."""
        if self._closed:
            return
        self._closed = True
        if self._hang_up in self._board.on_unplug:
            self._board.on_unplug.remove(self._hang_up)
        self._board.set_host_receiver(None, end="pty")
        self._poll.cancel()
        self._openers.close()
        if self._resume is not None:
            self._resume.cancel()
        self._loop.remove_reader(self._master)
        self._loop.remove_writer(self._master)
        os.close(self._master)
        if self.link is not None:
            with contextlib.suppress(OSError):
                if os.readlink(self.link) == self.device:
                    os.unlink(self.link)

    def _readable(self) -> None:
        try:
            data = os.read(self._master, DRIVER_BYTES)
        except BlockingIOError:
            return
        self._look_at_baud()
        if self._keeping:
            self._keeping = False
            self._pending.clear()
        # A program may have asked for exclusive use (TIOCEXCL) and gone; as this process keeps the terminal open,
        # nobody but root could open it ever again.
        with contextlib.suppress(OSError):
            fcntl.ioctl(self._slave, termios.TIOCNXCL)
        self._board.host_write(data)
        if self._board.queued >= DRIVER_BYTES:
            self._loop.remove_reader(self._master)
            self._wait_for_the_wire()

    def _wait_for_the_wire(self) -> None:
        """Read on when half of what waits is over."""
        self._resume = None
        if self._board.queued > DRIVER_BYTES // 2:
            seconds = (self._board.queued - DRIVER_BYTES // 2) * 10 / self._baud
            self._resume = self._loop.call_later(min(max(seconds, 0.001), 1.0), self._wait_for_the_wire)
        else:
            self._loop.add_reader(self._master, self._readable)

    def _look(self) -> None:
        """Follow what the program does to its end of the terminal."""
        self._look_at_baud()
        if self._keeping and (self._openers.count or not self._openers.known):
            touched = termios.tcgetattr(self._slave)[6][termios.VTIME] != _UNTOUCHED
            if self._loop.time() - self._opened_at >= (LISTENS_S if touched else SET_UP_S):
                self._keeping = False
                self._write()
        self._poll = self._loop.call_later(POLL_S, self._look)

    def _opened_or_closed(self) -> None:
        if self._openers.count:
            if self._keeping:
                self._opened_at = self._loop.time()
        elif not self._keeping:
            # Nobody listens any more. What the last program did not read, and echo that it left on, is not the next's.
            self._heard = True
            self._pending.clear()
            termios.tcflush(self._slave, termios.TCIFLUSH)
            self._set_up(None)

    def _set_up(self, speed: int | None) -> None:
        """Raw and without echo, with the mark of a terminal that no program has set up."""
        tty.setraw(self._slave, termios.TCSANOW)
        settings = termios.tcgetattr(self._slave)
        settings[6][termios.VTIME] = _UNTOUCHED
        if speed is not None:
            settings[4] = settings[5] = speed
        termios.tcsetattr(self._slave, termios.TCSANOW, settings)

    def _look_at_baud(self) -> None:
        baud = host_baud(self._master)
        # Only a change counts: another end of the same line (RFC 2217) may have set the adapter's speed meanwhile.
        if baud is not None and baud != self._baud:
            self._baud = baud
            self._board.set_host_baud(baud)

    def _deliver(self, data: bytes) -> None:
        if self._heard and not self._openers.count:
            return
        self._pending += data
        del self._pending[: max(0, len(self._pending) - KEPT_BYTES)]
        if not self._keeping and not self._writing:
            self._write()

    def _write(self) -> None:
        try:
            while self._pending:
                del self._pending[: os.write(self._master, self._pending)]
        except BlockingIOError:
            if not self._writing:
                self._writing = True
                self._loop.add_writer(self._master, self._write)
            return
        if self._writing:
            self._writing = False
            self._loop.remove_writer(self._master)


def _make_link(link: Path, device: str) -> None:
    if os.path.exists(link) and not link.is_symlink():
        raise UsageError(f"{link} is a file already, not a port of a virtual board", remedy="Give another --pty path.")
    fresh = link.with_name(f".{link.name}.{os.getpid()}")
    try:
        fresh.symlink_to(device)
        os.replace(fresh, link)
    except OSError as error:
        raise UsageError(
            f"No port can be made at {link}: {error.strerror}", remedy="Give a --pty path in a folder you may write to."
        ) from error
