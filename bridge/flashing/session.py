"""esptool in its own process, one connection for several steps; see `bridge.ports.esptool_session`."""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import json
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from bridge.child_python import module_command, module_environment, some_home
from bridge.errors import BridgeError, FlashError, UsageError
from bridge.flashing.output import Progress, Reader, explain
from bridge.ports.esptool_session import LEAVE, MARK

#: Seconds without a word from esptool after which it counts as stuck; its own longest silence is erasing 16 MB.
SILENCE = 150.0
#: Seconds an interrupted esptool has to start the board again and end by itself.
KILL_AFTER = LEAVE + 1.0
#: How often esptool tries to reach the ROM loader: its own default, and where a person has to press buttons.
ATTEMPTS, PATIENT_ATTEMPTS = 7, 30


class Session:
    """A connection to the chip's loader; use as `async with`.

    Leaving it early ends esptool's process, which starts the board again unless a writing was begun and not ended.

    Args:
        served: the port as esptool opens it.
        baud: speed after the flasher has started.
        lines: False for a board whose reset lines are not wired: a person puts it into its loader.
        progress: called on the event loop.
        log: file that gets esptool's output, appended.
        url: the port as the user named it, for messages.
        attempts: how often esptool tries to reach the ROM loader.
        by_hand: what a person does to bring the board into its loader, for messages.
        half_written: what is on the flash is known to be half of something.

    Attributes:
        connected: the chip has answered in its loader, if only at the speed that every line bears.
        half_written: as above, or a writing has begun and not ended.
        chip: as esptool names it, e.g. "ESP8266EX".
        mac: station address of the chip, e.g. "5c:cf:7f:00:11:22".
        flash_size: bytes; 0 if esptool does not know the flash chip.

    Raises:
        PortNotFound, PortBusy, PortLost, PortError, FlashError: a step failed, or the connection; says why.
        UsageError: the log cannot be written.
    """

    def __init__(
        self,
        served: str,
        *,
        baud: int,
        lines: bool = True,
        progress: Progress | None = None,
        log: Path | None = None,
        url: str | None = None,
        attempts: int | None = None,
        by_hand: str = "",
        half_written: bool = False,
    ) -> None:
        self._served, self.baud, self._lines = served, baud, lines
        self._attempts = attempts or (ATTEMPTS if lines else PATIENT_ATTEMPTS)
        self.url = url or served
        self._reader = Reader(progress)
        self._log = log
        self._stack = contextlib.ExitStack()
        self._results: list[dict[str, Any]] = []
        self._unlogged = ""
        self._by_hand = by_hand
        self.half_written = half_written
        self.connected = False
        self.chip, self.mac, self.flash_size = "", "", 0

    async def __aenter__(self) -> Self:
        self._file = None
        if self._log is not None:
            with self._log_trouble():
                # By lines: a disk that is full is told while there is somebody to tell.
                self._file = self._stack.enter_context(self._log.open("a", buffering=1, encoding="utf-8"))
        before = "default-reset" if self._lines else "no-reset"
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._process = await asyncio.create_subprocess_exec(
            *module_command("bridge.ports.esptool_session"),
            self._served, str(self.baud), before, str(self._attempts),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=_environment(),
        )  # fmt: skip
        try:
            facts = await self._result()
            self.connected = True
            self.chip, self.mac = facts["chip"], facts["mac"]
            # From here on at the speed that was asked for, which the line may not bear.
            self.flash_size = (await self._result())["flash"]
        except BaseException:
            await self._end()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None and self._process.stdin is not None:
            self._process.stdin.write(b'{"do": "end"}\n')
        await self._end()

    async def md5(self, at: int, size: int) -> str:
        """Hash of a stretch of the flash, made by the flasher on the chip: 32 hexadecimal digits."""
        return str((await self._do("md5", at=at, size=size))["md5"])

    async def peek(self, at: int, size: int) -> bytes:
        """A small stretch of the flash."""
        return bytes.fromhex((await self._do("peek", at=at, size=size))["hex"])

    async def read(self, at: int, size: int, file: Path) -> None:
        """Read a stretch of the flash into a file that exists; esptool checks its hash.

        Raises:
            OSError: the file cannot be written; it is no `BridgeError`.
        """
        await self._do("read", at=at, size=size, file=str(file))

    async def write(self, parts: Sequence[tuple[int, Path]], *, erase: bool = False) -> None:
        """Write files at offsets and have the flasher check each by its hash.

        Args:
            parts: offsets in bytes, and files.
            erase: the whole flash first.

        Raises:
            OSError: a file cannot be read, and nothing was written; it is no `BridgeError`.
        """
        before, self.half_written = self.half_written, True
        try:
            await self._do("write", parts=[[at, str(file)] for at, file in parts], erase=erase)
        except OSError as error:
            if not isinstance(error, BridgeError):
                self.half_written = before
            raise
        self.half_written = False

    async def reset(self) -> None:
        """Start what is flashed: by the reset line, or by a jump where none is wired."""
        await self._do("reset")

    async def _do(self, what: str, **values: object) -> dict[str, Any]:
        assert self._process.stdin is not None
        with contextlib.suppress(ConnectionError):  # it has ended; what it said last tells why
            self._process.stdin.write(json.dumps({"do": what, **values}).encode() + b"\n")
            await self._process.stdin.drain()
        return await self._result()

    async def _result(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        while not self._results:
            try:
                async with asyncio.timeout(SILENCE):
                    data = await self._process.stdout.read(4096)
            except TimeoutError as error:
                raise FlashError(
                    f"esptool said nothing for {SILENCE:g} s",
                    port=self.url,
                    remedy="Plug the board in again and run the same command again.",
                ) from error
            if not data:
                code = await self._process.wait()
                words = self._reader.output
                if code < 0:
                    words += f"\nA fatal error occurred: its process was ended by {signal.Signals(-code).name}"
                raise explain(words, self.url, by_hand=self._by_hand, half_written=self.half_written)
            self._feed(data)
        result = self._results.pop(0)
        if "errno" in result:
            raise OSError(result["errno"], result["why"], result["file"])
        return result

    def _feed(self, data: bytes) -> None:
        text = self._decoder.decode(data)
        if self._file is not None:
            with self._log_trouble():
                self._file.write(self._for_log(text))
        lines = self._reader.feed(text)
        self._results += [json.loads(line[1:]) for line in lines if line.startswith(MARK)]

    def _for_log(self, text: str) -> str:
        """The lines that a piece completes, without results: they may hold what is in the board's files."""
        whole, newline, self._unlogged = (self._unlogged + text).rpartition("\n")
        return "".join(line for line in (whole + newline).splitlines(keepends=True) if not line.startswith(MARK))

    @contextlib.contextmanager
    def _log_trouble(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise UsageError(
                f"The log {self._log} cannot be written ({error.strerror})", remedy="Check its name and the free space."
            ) from error

    async def _end(self) -> None:
        """Let it end by itself, which it does when its standard input ends, and see to it that it has ended."""
        process = self._process
        assert process.stdin is not None and process.stdout is not None
        process.stdin.close()
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(KILL_AFTER):
                    # It would wait for somebody to read what it says.
                    while await process.stdout.read(4096):
                        pass
                    await process.wait()
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
            # Of a log whose disk is full, which has been told.
            if self._file is not None:
                with contextlib.suppress(OSError):
                    self._file.write(self._for_log("\n"))
            with contextlib.suppress(OSError):
                self._stack.close()


def _environment() -> dict[str, str]:
    """What esptool's process is told."""
    return {
        **module_environment(),
        **some_home(),
        "PYTHONUNBUFFERED": "1",
        "PYTHONIOENCODING": "utf-8",
        "NO_COLOR": "1",
    }
