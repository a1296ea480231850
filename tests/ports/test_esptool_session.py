from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from bridge.ports.esptool_session import MARK
from bridge.ports.open import open_port
from bridge.repl import Repl
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
            assert process.stdin is not None and process.stdout is not None
            process.stdin.write(b'{"do": "peek", "at": 0, "size": 4}\n')
            output = await process.stdout.readuntil(b'{"hex"') + await process.stdout.readline()
            process.stdin.write(b'{"do": "end"}\n')
            await process.wait()
            process.stdin.close()
            await server.close()
            return process.returncode, (b"\n" + output).decode()

    code, output = asyncio.run(scenario())
    results = [json.loads(line[1:]) for line in output.split("\n") if line.startswith(MARK)]
    assert code == 0
    assert results[0]["chip"] == "ESP8266EX" and results[1]["flash"] == 4 << 20
    assert results[2]["hex"].startswith("e9")


def test_it_lets_go_of_the_port_when_nobody_waits_for_it_any_more(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with VirtualBoard(replace(VirtualOptions(), baud_pacing=False)) as board:
            server = await serve_rfc2217(board)
            process = await asyncio.create_subprocess_exec(
                *COMMAND, server.url, "115200", "default-reset", "2",
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, cwd=tmp_path,
            )  # fmt: skip
            assert process.stdin is not None and process.stdout is not None
            await process.stdout.readuntil(b'"flash"')
            process.stdin.write(b'{"do": "read", "at": 0, "size": 4194304, "file": "end"}\n')
            await process.stdout.readuntil(b"Reading from")
            process.stdin.close()  # as when its parent is killed
            assert await process.wait() == 1
            # Nothing was written: the board runs again.
            port = await open_port(server.url)
            repl = Repl(port)
            await repl.sync(12)
            repl.release()
            await port.close()
            await server.close()

    asyncio.run(scenario())


def test_what_fails_is_said_as_esptool_says_it() -> None:
    process = subprocess.Popen(
        [*COMMAND, "/dev/nosuchport", "115200", "default-reset", "1"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    with process:
        assert process.stdout is not None
        output = process.stdout.read()
    assert process.returncode == 2
    assert "A fatal error occurred: Could not open /dev/nosuchport" in output
    assert "Traceback" not in output


def test_a_mistake_of_esptools_own_leaves_the_board_running() -> None:
    async def scenario() -> None:
        async with VirtualBoard(replace(VirtualOptions(), baud_pacing=False, flash=0, cpu=0)) as board:
            server = await serve_rfc2217(board)
            process = await asyncio.create_subprocess_exec(
                *COMMAND, server.url, "115200", "default-reset", "2",
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
            )  # fmt: skip
            output, _ = await process.communicate(b'{"do": "md5", "at": -1, "size": 4}\n{"do": "end"}\n')
            assert process.returncode == 1 and b"struct.error" in output
            port = await open_port(server.url)
            repl = Repl(port)
            await repl.sync(12)
            repl.release()
            await port.close()
            await server.close()

    asyncio.run(scenario())
