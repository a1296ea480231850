"""Other people's programs that upload files, run as they are, to compare with."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from bridge.bench.plan import Plan, Row
from bridge.bench.process import board_process, without_flash_cost
from bridge.bench.rig import virtual_options
from bridge.bench.speed import opened_at, set_console_baud
from bridge.bench.upload import measure_upload
from bridge.errors import BridgeError, UsageError
from bridge.files import Written
from bridge.opening import open_board
from bridge.ports.base import CONSOLE_BAUD
from bridge.ports.open import open_port

#: How long a program may take for one upload, in seconds.
_LIMIT_S = 300.0
#: Names of the files on the board.
_FILE, _SMALL_FILE = "nb_tool.bin", "nb_one.bin"
#: Where a checkout has NodeMCU-Tool, once its tests have installed it.
_CHECKOUT = Path(__file__).parents[2] / "tests" / "tools" / "node_modules" / ".bin"


@dataclass(frozen=True)
class Tool:
    """A program.

    Args:
        command: its command line for a port's path, a speed in baud and a file.
        changes_speed: True if it changes the console's speed itself; else the console must have the speed before.
    """

    command: Callable[[str, int, str], list[str]]
    changes_speed: bool


def _uploader(path: str, baud: int, file: str) -> list[str]:
    launcher = [sys.executable, "-P", "-m", "bridge.ports.uploader_launcher"]
    return [*launcher, "--port", path, "--baud", str(baud), "upload", file]


def _nodemcu_tool(path: str, baud: int, file: str) -> list[str]:
    program = shutil.which("nodemcu-tool") or shutil.which("nodemcu-tool", path=str(_CHECKOUT))
    if program is None:
        raise UsageError("nodemcu-tool is not on this machine", remedy="Install it with npm install -g nodemcu-tool.")
    return [program, "--port", path, "--baud", str(baud), "upload", file]


#: Programs by the name that `--against` takes.
TOOLS = {"nodemcu-uploader": Tool(_uploader, True), "nodemcu-tool": Tool(_nodemcu_tool, False)}


@dataclass(frozen=True)
class ToolFigures:
    """An upload by a program: `seconds` from its start to its end, and what that would be for a file of one byte."""

    size: int
    seconds: float
    start_seconds: float

    @property
    def rate(self) -> float:
        """Bytes a second of the whole run, which is what its user waits for."""
        return self.size / self.seconds

    @property
    def transfer_rate(self) -> float:
        """Bytes a second without what the program and its preparation of the board take."""
        return self.size / max(self.seconds - self.start_seconds, 1e-3)


def parse_tools(text: str) -> tuple[str, ...]:
    """Read the list of `--against`.

    Raises:
        UsageError: a name is unknown, or its program is not on this machine.
    """
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",")))
    for name in names:
        if name not in TOOLS:
            raise UsageError(
                f"--against {text}: {name or 'nothing'} is not a program this knows",
                remedy=f"Use {' or '.join(TOOLS)}, separated by commas.",
            )
        TOOLS[name].command("", CONSOLE_BAUD, "")
    return names


async def upload_by_tool(name: str, plan: Plan, row: Row, data: bytes, *, flash_cost: bool = False) -> ToolFigures:
    """Upload a file with a program; call it on the wall clock. The file is compared afterwards, through the agent.

    Args:
        name: a key of `TOOLS`.
        plan: which board: on `virtual:` a fresh one on a pseudo-terminal.
        row: the line.
        data: the file.
        flash_cost: a virtual board's flash takes its time; else it writes in no time.

    Raises:
        BridgeError: the program failed, or wrote something else.
    """
    tool = TOOLS[name]
    with tempfile.TemporaryDirectory(prefix="nodemcu-bridge-") as name_of_folder:
        folder = Path(name_of_folder)
        (folder / _SMALL_FILE).write_bytes(data[:1])
        (folder / _FILE).write_bytes(data)
        async with _serial_port(plan, row, flash_cost=flash_cost) as path:
            # What changes the speed itself changes it back.
            before, after = (CONSOLE_BAUD, CONSOLE_BAUD) if tool.changes_speed else (row.baud, row.baud)
            await _set_baud(path, CONSOLE_BAUD, before)
            try:
                start = await _run(name, tool.command(path, row.baud, _SMALL_FILE), folder)
                seconds = await _run(name, tool.command(path, row.baud, _FILE), folder)
                await _compare(name, path, after, data)
            finally:
                await _set_baud(path, after, CONSOLE_BAUD)
    return ToolFigures(len(data), seconds, start)


async def upload_by_agent(plan: Plan, row: Row, data: bytes, *, flash_cost: bool = False) -> tuple[Written, float]:
    """The same through the agent, on the same kind of board.

    Returns:
        What `fs put` says of it, and seconds from the opening of the port to the prompt's return.
    """
    loop = asyncio.get_running_loop()
    async with _serial_port(plan, row, flash_cost=flash_cost) as path:
        began = loop.time()
        port = await open_port(path)
        try:
            async with opened_at(port, row.baud) as board:
                opened = loop.time()
                written = await measure_upload(board, data)
                closing = loop.time()
            return written, opened - began + written.seconds + loop.time() - closing
        finally:
            await port.close()


@asynccontextmanager
async def _serial_port(plan: Plan, row: Row, *, flash_cost: bool) -> AsyncIterator[str]:
    if not plan.virtual:
        yield plan.url
        return
    options = virtual_options(plan, row)
    with nullcontext(options) if flash_cost else without_flash_cost(options) as options:
        async with board_process(options) as path:
            yield path


async def _set_baud(path: str, before: int, after: int) -> None:
    if before != after:
        port = await open_port(path, baud=before)
        try:
            await set_console_baud(port, after)
        finally:
            await port.close()


async def _run(name: str, command: list[str], folder: Path) -> float:
    """Run a program to its end; the seconds it took."""
    began = time.monotonic()
    # The launcher is a module of this package, which the program's folder does not hold.
    path = os.pathsep.join(filter(None, (str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH"))))
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "PYTHONPATH": path},
    )  # fmt: skip
    try:
        async with asyncio.timeout(_LIMIT_S):
            out, _ = await process.communicate()
    except BaseException as error:
        if process.returncode is None:
            process.kill()
            await process.wait()
        if not isinstance(error, TimeoutError):
            raise
        raise BridgeError(f"{name} did not upload {_FILE} within {_LIMIT_S:g} s") from error
    if process.returncode:
        raise BridgeError(f"{name} failed: {' '.join(out.decode(errors='replace').split())[-300:]}")
    return time.monotonic() - began


async def _compare(name: str, path: str, baud: int, data: bytes) -> None:
    async with open_board(path, baud=baud) as board:
        same = await board.files.holds(_FILE, data)
        await board.files.rm(*{_FILE, _SMALL_FILE}.intersection(await board.files.ls()))
    if not same:
        raise BridgeError(f"{name} wrote a file that is not the one it was given")
