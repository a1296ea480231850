"""The stock Lua prompt, spoken through a port: finding it from any state, and telling what else may answer there.

`Repl` is for a port that nothing else reads. Lines typed on a bad line can become other lines; what must be exact
goes through `bridge.loader`, which has the board check it.
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Callable

from bridge.errors import BootLoop, BridgeError, LinkTimeout, NotNodeMCU, PortError, ReplError
from bridge.ports.base import Port
from bridge.trace.secrets import blanked, find_secrets
from bridge.wire.liveness import boot_cause

#: Longest line that the prompt takes whole: 255 characters and the line end (recording repl_longline).
MAX_LINE = 250
#: Wipes a half-typed line: one DEL for each byte that the line buffer can hold. Nothing is echoed when it is empty.
WIPE = b"\x7f" * 256
#: A line that is a syntax error wherever an unfinished chunk may stand, so that the prompt forgets the chunk.
BREAK = b"]]]=]end)"
#: The prompt, and what it is inside an unfinished chunk.
PROMPT = b"> "
CONTINUED = b">> "

_KEPT = 16_384
#: How what a board said ends while it makes its file system after the flash was erased: a dot for every 16 sectors
#: (app/spiffs/spiffs.c).
_FORMATTING = re.compile(rb"(?:Formatting file system[. \w]*|^\.|\.{2,})[.\r\n]*$")
#: Seconds without a byte after which it makes none any more: a sector takes 45 ms, and 400 ms at most by the data sheet
#: of the W25Q32, so that dots are 6.4 s apart at most.
_DOT_SECONDS = 10.0
#: What it says before them.
_FORMATS = b"Formatting file system"
#: Seconds from dot to dot, at the least, where that was not heard: 16 sectors of 45 ms take 0.72, on a fast chip 0.6.
#: Programs print dots, too, while they wait for Wi-Fi: those of Arduino's examples are 0.5 s apart.
_DOT_LEAST = 0.55
#: More dots than the largest flash has: 16 MB in 4096 sectors make 256.
_DOTS = 300
#: The end of the firmware's banner (`printf` of app/user/user_main.c and app/lua/lua.c), once in each boot.
_BANNER = b"powered by Lua"
#: A prompt that is not found while the board starts so often is none because of that.
_LOOP = 3
#: The question of `sync`, whose answer is spelled otherwise, so that an echo is no answer.
_QUESTION = b'print(("%%x"):format(%d))'


class Repl:
    """The prompt of the board on a port.

    Args:
        port: open, at the board's speed; the prompt takes its receiver until `release`.
        stop: bytes that make an agent of ours, left behind by somebody, give the prompt back.
        on_text: gets every byte that arrives, as it arrives.
    """

    def __init__(self, port: Port, *, stop: bytes = b"", on_text: Callable[[bytes], None] | None = None) -> None:
        self.port = port
        self._stop = stop
        self._on_text = on_text
        self._received = bytearray()
        self._arrived = asyncio.Event()
        self._lost: PortError | None = None
        #: What the last `sync` heard in vain, at most the last 16 KB.
        self.heard = b""
        #: The last `sync` failed on a board that was making its file system. Resetting it would begin that anew.
        self.formats = False
        self._began = self._latest = asyncio.get_running_loop().time()
        self._dots = 0
        self._dot_times: deque[float] = deque(maxlen=4)
        self._boots = 0
        self._banner = b""
        # Differs from one session to the next, so that no answer to an earlier one is taken for ours.
        self._serial = int(asyncio.get_running_loop().time() * 1000) % 40_000 + 4096
        port.set_receiver(self._take, self._lose)

    def release(self) -> None:
        """Give the port's receiver back."""
        self.port.set_receiver(None)

    @property
    def received(self) -> bytes:
        """What arrived since the last `forget`, at most the last 16 KB."""
        return bytes(self._received)

    def forget(self) -> None:
        """Drop what arrived before now."""
        self._received.clear()

    def write(self, data: bytes) -> None:
        """Send bytes as they are."""
        if self._lost is not None:
            raise self._lost
        self.port.write(data)

    async def wait_for(self, pattern: re.Pattern[bytes], seconds: float) -> re.Match[bytes] | None:
        """Wait until what arrived since `forget` contains the pattern; None when it does not in time.

        Raises:
            PortLost: the port went away.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while (found := pattern.search(self._received)) is None:
            if not await self.more(deadline - loop.time()):
                return None
        return found

    async def more(self, seconds: float) -> bool:
        """Wait until something arrives; False when nothing does in time.

        Raises:
            PortLost: the port went away.
        """
        if self._lost is not None:
            raise self._lost
        self._arrived.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._arrived.wait()
        except TimeoutError:
            return False
        return True

    async def sync(self, seconds: float = 6.0) -> None:
        """Get an empty prompt, whatever the board was at: a half-typed line, an unfinished chunk, booting, an agent.

        Nothing half-typed is run, and the board is not reset.

        Args:
            seconds: how long to try. A board that makes its file system is waited for as long as it says so.

        Raises:
            NotNodeMCU: something else answers, or nothing does; the message says what it looks like.
            ReplError: a NodeMCU starts, and its prompt does not answer, or it makes its file system and falls silent.
            BootLoop: it restarts again and again.
            PortLost: the port went away.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        heard = bytearray()
        patience = 0.15 + self._line_seconds(len(WIPE) + 60)
        tries = 0
        while True:
            self.forget()
            if tries % 3 == 1:
                # Leave what such an agent would take for a frame, ask, and wipe what a prompt took for a line.
                self.write(b"\0" + self._stop)
            self._serial += 1
            self.write(WIPE + b"\r\n" + _QUESTION % self._serial + b"\r\n")
            answer = re.compile(rb"(?:\n|> )%x\r\n[^\r\n]{0,40}> $" % self._serial)
            if await self.wait_for(answer, min(patience, max(deadline - loop.time(), 0.01))) is not None:
                self.forget()
                self.formats = False
                return
            heard += self._received
            del heard[:-_KEPT]
            self._dots += self._received.count(b".")
            self.formats = (
                _FORMATTING.search(heard, max(0, len(heard) - 100)) is not None
                and self._dots <= _DOTS
                and (_FORMATS in heard or not self._dots_are_fast())
            )
            if self.formats:
                # The dots come slower than the tries, and nothing is answered meanwhile.
                deadline = max(deadline, self._latest + _DOT_SECONDS)
            if CONTINUED in self._received[-16:]:
                self.write(b"\r\n" + BREAK + b"\r\n")
            if loop.time() >= deadline:
                self.heard = bytes(heard)
                raise self._none(self.heard)
            tries += 1
            patience = min(patience * 1.5, 0.8)

    async def line(self, text: str, seconds: float = 5.0) -> bytes:
        """Type one line at the prompt and return what it printed, echo and prompt left out.

        For a line that damages nothing; see `bridge.loader` for others.

        Raises:
            ReplError: the line is too long, or the prompt did not come back in time.
        """
        typed = text.encode()
        if len(typed) > MAX_LINE or b"\n" in typed or b"\r" in typed:
            raise ReplError(f"A line for the prompt must be one line of {MAX_LINE} bytes at most", port=self.port.url)
        self.forget()
        self.write(typed + b"\n")
        found = await self.wait_for(re.compile(rb"(?:^|\n)(?:> |>> )$"), seconds)
        if found is None:
            raise ReplTimeout(f"The prompt did not come back within {seconds:g} s", port=self.port.url)
        out = bytes(self._received[: found.start()]) + b"\n"
        return out.removeprefix(typed).removeprefix(b"\r\n").removesuffix(b"\n").removesuffix(b"\r")

    def _dots_are_fast(self) -> bool:
        """The latest dots came faster than a flash chip erases its sectors."""
        times = self._dot_times
        return len(times) == times.maxlen and times[-1] - times[0] < (len(times) - 1) * _DOT_LEAST

    def _line_seconds(self, size: int) -> float:
        return size * 10 / self.port.baud

    def _take(self, data: bytes) -> None:
        self._latest = asyncio.get_running_loop().time()
        self._dot_times.extend([self._latest] * data.count(b"."))
        self._boots += (self._banner + data).count(_BANNER)
        self._banner = (self._banner + data)[1 - len(_BANNER) :]
        self._received += data
        del self._received[:-_KEPT]
        if self._on_text is not None:
            self._on_text(data)
        self._arrived.set()

    def _lose(self, error: PortError) -> None:
        self._lost = error
        self._arrived.set()

    def _none(self, heard: bytes) -> BridgeError:
        """Why there is no prompt."""
        url = self.port.url
        if self._boots >= _LOOP:
            seconds = asyncio.get_running_loop().time() - self._began
            what = f"The board restarts again and again, {self._boots} times within {seconds:.0f} s"
            return BootLoop(what, cause=boot_cause(heard), port=url)
        if self.formats:
            return ReplError(
                f"The board makes its file system, and has said nothing for {_DOT_SECONDS:g} s",
                port=url,
                remedy="Leave it its power, which a flash of 16 MB needs for up to 5 minutes, and run the same command "
                "again; if it never gets through, its flash or its supply is bad.",
            )
        if other_firmware(heard) is None and _comes_back(heard, self._stop):
            return NotNodeMCU(
                "What is sent comes back, and nothing else answers",
                port=url,
                remedy="RX and TX may be joined, or this is not the board's port.",
            )
        what, remedy = describe_other(heard, self.port.baud, boots=self._boots)
        return (ReplError if self._boots else NotNodeMCU)(what, port=url, remedy=remedy)


async def run_line(port: Port, text: str, seconds: float) -> bytes:
    """Find the prompt, type one line, and return what it printed; see `Repl.sync` and `Repl.line`."""
    repl = Repl(port)
    try:
        await repl.sync()
        return await repl.line(text, seconds)
    finally:
        repl.release()


class ReplTimeout(ReplError, LinkTimeout):
    """The prompt did not come back in time."""


def other_firmware(heard: bytes) -> str | None:
    """A firmware that is known by its words and is not NodeMCU, or None."""
    if b">>> " in heard or b"MicroPython" in heard:
        return "MicroPython"
    if re.search(rb"(?:^|[\r\n])(?:ERROR|busy p\.\.\.|ready)\r\n", heard):
        return "An AT command firmware"
    return None


def _comes_back(heard: bytes, stop: bytes) -> bool:
    """True if what was heard is what `sync` writes, and nothing else but line ends."""
    asked, _, closed = _QUESTION.replace(b"%%", b"%").partition(b"%d")
    rest, count = re.subn(re.escape(asked) + rb"\d+" + re.escape(closed), b"", heard.replace(b"\0" + stop, b""))
    rest = rest.replace(b"\x7f", b"").strip()
    # The last of it may still be on its way, and only the end of what came first be known.
    unfinished = rest.startswith(asked) or asked.startswith(rest) or (b"\0" + stop).startswith(rest)
    return count > 1 and unfinished and len(rest) < len(_QUESTION) + len(stop)


def describe_other(heard: bytes, baud: int, *, boots: int = 0) -> tuple[str, str]:
    """What answers instead of NodeMCU's prompt, by its words: a sentence and what to do.

    Args:
        heard: what came last.
        baud: speed of the port.
        boots: how often a NodeMCU was heard to start.
    """
    flash = "Flash a NodeMCU firmware with `nodemcu-bridge flash`."
    if not heard and not boots:
        return (
            "Nothing answers at the Lua prompt",
            "Check that the board has power and that this is its port; if a program on it holds the UART, reset it.",
        )
    if (other := other_firmware(heard)) is not None:
        return f"{other} answers here, not NodeMCU", flash
    said = heard.rpartition(_BANNER)[2]
    if len(said) < len(heard):
        said = said.partition(b"\n")[2]  # the rest of that line belongs to it
    # An init.lua may print with which key it joins a network, and this goes into logs and records.
    words = blanked(said, find_secrets(said)).replace(b"\x7f", b"").decode("latin-1").split()
    if _is_noise(said) and boots < 2:  # the boot ROM's own speed makes noise too
        return (
            f"What answers at {baud} baud is no text",
            "The board may speak at another speed (a stock NodeMCU starts at 115200), or be in a boot loop.",
        )
    if boots:
        says = f"; it says {' '.join(words)[-60:]!r}" if words and not _is_noise(said) else ""
        return (
            f"A NodeMCU starts here, and its prompt does not answer{says}",
            "Its init.lua may hold the console, be busy, or restart the board: reset it, or flash it anew.",
        )
    return (
        f"What answers is not NodeMCU's prompt; it says {' '.join(words)[-60:]!r}",
        "If this is damaged, the line or its speed is bad. If a program of the board holds the console, reset the "
        f"board. If this is another firmware: {flash}",
    )


def _is_noise(heard: bytes) -> bool:
    plain = sum(32 <= byte < 127 or byte in (8, 9, 10, 13, 127) for byte in heard)
    return plain < 0.8 * len(heard)
