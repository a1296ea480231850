from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from dataclasses import replace

from bridge.ports.esptool_session import MARK
from bridge.virtual.board import VirtualBoard
from bridge.virtual.options import VirtualOptions
from bridge.virtual.rfc2217 import serve_rfc2217

COMMAND = [sys.executable, "-m", "bridge.ports.esptool_session"]


def test_it_does_what_its_lines_say_and_ends_with_them() -> None:
    async def scenario() -> tuple[int | None, str]:
        async with VirtualBoard(replace(VirtualOptions(), baud_pacing=False, flash=0, cpu=0)) as board:
            server = await serve_rfc2217(board)
            process = await asyncio.create_subprocess_exec(
                *COMMAND, server.url, "230400", "default-reset", "2",
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            )  # fmt: skip
            output, _ = await process.communicate(b'{"do": "peek", "at": 0, "size": 4}\n')
            await server.close()
            return process.returncode, output.decode()

    code, output = asyncio.run(scenario())
    results = [json.loads(line[1:]) for line in output.splitlines() if line.startswith(MARK)]
    assert code == 0
    assert results[0]["chip"] == "ESP8266EX" and results[1]["hex"].startswith("e9")


def test_what_fails_is_said_as_esptool_says_it() -> None:
    done = subprocess.run([*COMMAND, "/dev/nosuchport", "115200", "default-reset", "1"], capture_output=True, text=True)
    assert done.returncode == 2
    assert "A fatal error occurred: Could not open /dev/nosuchport" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
