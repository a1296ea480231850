"""A virtual board as a process of its own, so that what the bridge takes can be told from what the board takes."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from bridge.child_python import module_command, module_environment
from bridge.errors import PortError
from bridge.virtual.options import VirtualOptions

#: Options that a process of its own takes none of, or that are given apart.
_LEFT_OUT = {"clock", "network"}
#: Seconds for the process to boot its board.
_START_S = 30.0
#: A flash that writes in no time.
NO_FLASH_COST = '{"page_program_ms": 0, "sector_erase_ms": 0}'


@dataclasses.dataclass(frozen=True)
class BoardProcess:
    """A virtual board that runs."""

    url: str
    """To be opened: a pseudo-terminal's path, or rfc2217://…."""
    pid: int

    def press_reset(self) -> None:
        """Press its reset button, whatever it is at."""
        os.kill(self.pid, signal.SIGUSR1)


@contextlib.asynccontextmanager
async def board_process(options: VirtualOptions, *, rfc2217: bool = False) -> AsyncIterator[str]:
    """As `started_board`; gives the URL alone."""
    async with started_board(options, rfc2217=rfc2217) as started:
        yield started.url


@contextlib.asynccontextmanager
async def started_board(options: VirtualOptions, *, rfc2217: bool = False) -> AsyncIterator[BoardProcess]:
    """Run `nodemcu-bridge virtual` as long as this lasts.

    Args:
        options: of the board; its clock is the wall's.
        rfc2217: by that protocol on loopback, else on a pseudo-terminal.

    Raises:
        PortError: the process did not start a board; carries what it said.
    """
    door = ["--rfc2217", "127.0.0.1:0"] if rfc2217 else ["--pty", "auto"]
    process = await asyncio.create_subprocess_exec(
        *module_command("bridge.cli"), "virtual", *door, *_flags(options),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, env=module_environment(),
    )  # fmt: skip
    assert process.stdout is not None and process.stderr is not None
    try:
        try:
            async with asyncio.timeout(_START_S):
                line = await process.stdout.readline()
        except TimeoutError as error:
            raise PortError(f"The virtual board's process started no board within {_START_S:g} s") from error
        _, _, url = line.decode().strip().partition(" ")
        if not url:  # it has ended
            said = (await process.stderr.read()).decode(errors="replace").strip()
            await process.wait()
            raise PortError(f"The virtual board's process did not start: {said[-300:]}")
        yield BoardProcess(url, process.pid)
    finally:
        # Telling a process to end that has ended already would take its exit code away from asyncio.
        if process.returncode is None:
            process.terminate()
            await process.wait()


@contextlib.contextmanager
def without_flash_cost(options: VirtualOptions) -> Iterator[VirtualOptions]:
    """The same board with a flash that writes in no time: options that hold while the context does."""
    with tempfile.TemporaryDirectory(prefix="nodemcu-bridge-") as folder:
        file = Path(folder) / "flash.json"
        file.write_text(NO_FLASH_COST, encoding="utf-8")
        yield dataclasses.replace(options, calibration=str(file))


def _flags(options: VirtualOptions) -> list[str]:
    flags: list[str] = []
    for field in dataclasses.fields(options):
        value = getattr(options, field.name)
        if field.name in _LEFT_OUT or value == field.default:
            continue
        flag = "--" + field.name.replace("_", "-")
        if isinstance(value, bool):
            flags.append(flag if value else f"--no-{flag[2:]}")
        else:
            flags += [flag, str(value)]
    return flags
