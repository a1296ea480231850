"""Boards for tests of provisioning: in this process, served by RFC 2217; and the command, as a process of its own."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from bridge.opening import open_board
from bridge.provision import BoardReport, load_shelf, provision_shelf
from bridge.provision.board_run import Waits
from bridge.provision.record import Records
from bridge.virtual.board import VirtualBoard
from bridge.virtual.options import VirtualOptions
from bridge.virtual.rfc2217 import Rfc2217Server, serve_rfc2217
from tests.images import image

#: A board from the shop that costs a test little; it joins nothing but its own network.
QUICK = VirtualOptions(baud_pacing=False, flash=0, cpu=0, wifi="workshop:correct-horse-battery")
PASSWORD = "correct-horse-battery"
FILES = {"main.lua": b"print('main')\n" * 40, "data/table.bin": bytes(range(256)) * 16, "empty.txt": b""}
STARTUP = b"print('started')\n"


@dataclass
class Shelf:
    """Boards and the file that says what they are to be."""

    boards: list[VirtualBoard]
    servers: list[Rfc2217Server]
    folder: Path

    @property
    def file(self) -> Path:
        return self.folder / "shelf.yaml"

    def environment(self) -> dict[str, str]:
        """Of the command: a state folder of the test's own, and the password."""
        return {**os.environ, "XDG_STATE_HOME": str(self.folder / "state"), "TEST_WIFI": PASSWORD}

    def write(self, *, extra: str = "", password: str = "{env: TEST_WIFI}") -> None:
        """The provisioning file, and what it names."""
        (self.folder / "firmware.bin").write_bytes(image())
        (self.folder / "init.lua").write_bytes(STARTUP)
        for name, data in FILES.items():
            path = self.folder / "files" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        lines = [
            "profile: virtual", "image: firmware.bin", "folder: files", "startup: init.lua",
            f"wifi: {{ssid: workshop, password: {password}, seconds: 20}}", extra, "boards:",
        ]  # fmt: skip
        lines += [f'  - {{name: b{n}, port: "{server.url}"}}' for n, server in enumerate(self.servers, 1)]
        self.file.write_text("\n".join(lines) + "\n")

    async def start(self, *arguments: str) -> asyncio.subprocess.Process:
        """Begin `nodemcu-bridge provision`."""
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bridge.cli", "provision", str(self.file), *arguments,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, env=self.environment(),
        )  # fmt: skip

    async def run(self, *arguments: str) -> tuple[int | None, str, str]:
        """Run it to its end: exit code, output, standard error."""
        process = await self.start(*arguments)
        out, err = await process.communicate()
        return process.returncode, out.decode(), err.decode()

    async def run_here(
        self, waits: Waits, at: Mapping[str, Callable[[], object]] | None = None
    ) -> tuple[BoardReport, list[str]]:
        """Make the first board ready in this process, without what a command takes: its report, and what was told.

        The password is to be in this process's environment. `at` says what happens when something is told.
        """
        records = Records(self.folder / "state" / "nodemcu-bridge" / "boards")
        plans, told = load_shelf(self.file, records.key())[:1], [""]

        def tell(_name: str, stage: str, _fraction: float | None) -> None:
            if told[-1] != stage:
                told.append(stage)
                if at is not None and stage in at:
                    at[stage]()

        done = await provision_shelf(self.file, plans, records, told=tell, waits=waits)
        return done.boards[0], told

    async def contents(self, number: int) -> dict[str, bytes]:
        """All files on a board, as the bridge reads them."""
        async with open_board(self.servers[number].url) as board:
            return {name: await board.file.getcontents(name) or b"" for name in await board.file.list()}


@asynccontextmanager
async def shelf(folder: Path, count: int, options: VirtualOptions = QUICK) -> AsyncIterator[Shelf]:
    """Boards, with the file written."""
    boards, servers = [], []
    try:
        for number in range(1, count + 1):
            board = VirtualBoard(replace(options, mac=f"5c:cf:7f:00:00:{number:02x}"))
            await board.start()
            boards.append(board)
            servers.append(await serve_rfc2217(board))
        made = Shelf(boards, servers, folder)
        made.write()
        yield made
    finally:
        for server in servers:
            await server.close()
        for board in boards:
            await board.close()
