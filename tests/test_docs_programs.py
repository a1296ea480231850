"""The Python of the guides does what they say, on the virtual board."""

from __future__ import annotations

import ast
import asyncio
import inspect
import subprocess
import sys
from types import CodeType
from typing import Any

import pytest

from bridge.board import Board
from bridge.virtual.board import VirtualBoard
from bridge.virtual.lwip.memnet import MemoryNetwork
from bridge.virtual.lwip.memstream import MemoryStream
from tests.mirror.test_on_a_board import HOST, on_a_board
from tests.test_docs import python_blocks
from tests.test_layers import ROOT
from tests.virtual.modules.tls_bench import issue, secure, server_context

GUIDE, MIRROR, MODULES = (
    python_blocks(ROOT / "docs" / name)
    for name in ("guides/remote-control.md", "reference/mirror.md", "reference/modules.md")
)


def test_no_program_is_left_out() -> None:
    assert (len(GUIDE), len(MIRROR), len(MODULES)) == (3, 3, 1)


@pytest.mark.parametrize("number", [0, 2])
def test_a_whole_program_runs(number: int) -> None:
    program = GUIDE[number].replace("/dev/ttyUSB0", "virtual:")
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert (run.returncode, run.stderr) == (0, "")
    # Garbage counts: what loading the agent leaves is collected at some time.
    assert 5_000 < int(run.stdout.split()[-1]) < 50_000, "the heap"


async def play(program: str, **names: Any) -> dict[str, Any]:
    """Run a piece of a program with these names; gives all that it has then."""
    code = compile(program, "the page", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    assert isinstance(code, CodeType)
    result = eval(code, names)
    if inspect.isawaitable(result):
        await result
    return names


def test_a_page_is_fetched(capsys: pytest.CaptureFixture[str]) -> None:
    async def page(stream: MemoryStream) -> None:
        assert await stream.read_exactly(37) == b"GET / HTTP/1.0\r\nHost: example.com\r\n\r\n"
        stream.write(b"HTTP/1.0 200 OK\r\n\r\nhello")
        stream.close()

    async def scenario(board: Board, network: MemoryNetwork, _: VirtualBoard) -> None:
        network.zone["example.com"] = "drop"  # the first question is lost: a name takes its time
        asyncio.get_running_loop().call_later(0.5, network.zone.update, {"example.com": HOST})
        network.serve(HOST, 80, page)
        await play(GUIDE[1], board=board)
        await asyncio.sleep(5)

    on_a_board(scenario)
    assert capsys.readouterr().out.splitlines() == [r"b'HTTP/1.0 200 OK\r\n\r\nhello'", "over 0"]


def test_lua_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    async def scenario(board: Board, _: MemoryNetwork, __: VirtualBoard) -> None:
        names = await play(MIRROR[0], board=board)
        await asyncio.sleep(2.5)
        await names["timer"].unregister()

    on_a_board(scenario)
    assert capsys.readouterr().out == "tick\n" * 2


def test_lua_that_asks_python() -> None:
    printed = bytearray()

    async def scenario(board: Board, _: MemoryNetwork, __: VirtualBoard) -> None:
        board.on("console", printed.extend)
        await play(MIRROR[1], board=board)

    on_a_board(scenario)
    assert printed.split() == [b"1", b"4", b"9"]


def test_an_authority_for_tls() -> None:
    authority = issue("authority", ca=True)
    server = issue("server", issuer=authority)

    async def scenario(board: Board, network: MemoryNetwork, _: VirtualBoard) -> None:
        network.serve("10.0.0.1", 443, secure(server_context(server)))
        stands = asyncio.Event()
        await play(MIRROR[2], board=board, authority=authority.certificate, connected=lambda socket: stands.set())
        await asyncio.wait_for(stands.wait(), 60)

    on_a_board(scenario)


def test_modules_with_types(capsys: pytest.CaptureFixture[str]) -> None:
    async def scenario(board: Board, _: MemoryNetwork, virtual: VirtualBoard) -> None:
        names = await play(MODULES[0])
        await names["main"](board)
        await asyncio.sleep(1.5)
        assert await board.file.getcontents("log.txt") == b"hello\n"
        await board.gpio.trig(3)

    on_a_board(scenario)
    assert capsys.readouterr().out == "False\ntick\n"
