"""esptool in its own process, one connection for several steps; see `bridge.ports.esptool_session`."""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from bridge.errors import FlashError, UsageError
from bridge.flashing.output import Progress, Reader, explain
from bridge.ports.esptool_session import MARK

#: Seconds without a word from esptool after which it counts as stuck; its own longest silence is erasing 16 MB.
SILENCE = 150.0
#: Seconds an interrupted esptool has to end by itself.
KILL_AFTER = 3.0
#: How often esptool tries to reach the ROM loader: its own default, and where a person has to press buttons.
ATTEMPTS, PATIENT_ATTEMPTS = 7, 30


class Session:
    """A connection to the chip's loader; use as `async with`. Leaving it early ends esptool's process.

    Args:
        served: the port as esptool opens it.
        baud: speed after the flasher has started.
        lines: False for a board whose reset lines are not wired: a person puts it into its loader.
        progress: called on the event loop.
        log: file that gets esptool's output, appended.
        url: the port as the user named it, for messages.

    Attributes:
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
    ) -> None:
        self._served, self.baud, self._lines = served, baud, lines
        self._attempts = attempts or (ATTEMPTS if lines else PATIENT_ATTEMPTS)
        self.url = url or served
        self._reader = Reader(progress)
        self._log = log
        self._stack = contextlib.ExitStack()
        self._results: list[dict[str, Any]] = []
        self.connected = False
        self.chip, self.mac, self.flash_size = "", "", 0

    async def __aenter__(self) -> Self:
        self._file = None
        if self._log is not None:
            try:
                self._file = self._stack.enter_context(self._log.open("a", encoding="utf-8"))
            except OSError as error:
                raise UsageError(
                    f"{self._log} cannot be written ({error.strerror})", remedy="Check the log's name."
                ) from error
        before = "default-reset" if self._lines else "no-reset"
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bridge.ports.esptool_session",
            self._served, str(self.baud), before, str(self._attempts),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8", "NO_COLOR": "1"},
        )  # fmt: skip
        try:
            facts = await self._result()
        except BaseException:
            await self._end()
            raise
        self.connected = True
        self.chip, self.mac, self.flash_size = facts["chip"], facts["mac"], facts["flash"]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        if kind is None:
            self._process.stdin.write(b'{"do": "end"}\n')
        self._process.stdin.close()
        if kind is None:
            # It has done its last step: let it close the port in its own time.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(KILL_AFTER):
                    await self._process.wait()
        await self._end()

    async def md5(self, at: int, size: int) -> str:
        """Hash of a stretch of the flash, made by the flasher on the chip: 32 hexadecimal digits."""
        return str((await self._do("md5", at=at, size=size))["md5"])

    async def peek(self, at: int, size: int) -> bytes:
        """A small stretch of the flash."""
        return bytes.fromhex((await self._do("peek", at=at, size=size))["hex"])

    async def read(self, at: int, size: int, file: Path) -> None:
        """Read a stretch of the flash into a file that exists; esptool checks its hash."""
        await self._do("read", at=at, size=size, file=str(file))

    async def write(self, parts: Sequence[tuple[int, Path]], *, erase: bool = False) -> None:
        """Write files at offsets and have the flasher check each by its hash.

        Args:
            parts: offsets in bytes, and files.
            erase: the whole flash first.
        """
        await self._do("write", parts=[[at, str(file)] for at, file in parts], erase=erase)

    async def reset(self) -> None:
        """Start what is flashed: by the reset line, or by a jump where none is wired."""
        await self._do("reset", how="hard-reset" if self._lines else "soft-reset")

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
                await self._process.wait()
                raise explain(self._reader.output, self.url)
            text = self._decoder.decode(data)
            if self._file is not None:
                self._file.write(text)
            lines = self._reader.feed(text)
            self._results += [json.loads(line[1:]) for line in lines if line.startswith(MARK)]
        return self._results.pop(0)

    async def _end(self) -> None:
        process = self._process
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            try:
                async with asyncio.timeout(KILL_AFTER):
                    await process.wait()
            except TimeoutError:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        self._stack.close()
