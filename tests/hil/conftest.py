"""Tests of a board: any board. They ask only for the fixture `board`, and `--board URL` says which it is.

`@pytest.mark.needs("net", "file.putcontents")` names what a test cannot do without: modules of the firmware, or
functions. It is skipped, and says so, on a board that lacks one.

Tests are coroutines on one event loop, on which the board stays open from test to test, as it would in a program. After
a test that left the board without an answer it is opened anew.
"""

from __future__ import annotations

import asyncio
import inspect
import socket
from collections.abc import Iterator

import pytest

import bridge
from bridge.errors import BridgeError

Board = bridge.Board


class Rig:
    """The board under test and the event loop it lives on."""

    def __init__(self, url: str, runner: asyncio.Runner) -> None:
        self.url = url
        self.runner = runner
        self._board: Board | None = None

    async def ready(self) -> Board:
        """The board, opened if need be, answering."""
        if self._board is not None:
            try:
                assert await self._board.eval("1+1") == 2
                return self._board
            except BridgeError:
                await self.close()
        self._board = await bridge.open_board(self.url)
        return self._board

    async def close(self) -> None:
        """Close the board if it is open."""
        if self._board is not None:
            board, self._board = self._board, None
            await board.close()


@pytest.fixture(scope="session")
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    with asyncio.Runner() as runner:
        rig = Rig(request.config.getoption("--board"), runner)
        yield rig
        runner.run(rig.close())


@pytest.fixture
def board(rig: Rig) -> Board:
    return rig.runner.run(rig.ready())


@pytest.fixture(autouse=True)
def _has_what_is_needed(request: pytest.FixtureRequest) -> None:
    names = [name for mark in request.node.iter_markers("needs") for name in mark.args]
    if not names:
        return
    board, rig = request.getfixturevalue("board"), request.getfixturevalue("rig")
    for name in names:
        module, dot, _ = name.partition(".")
        if module not in board.facts.modules or dot and not rig.runner.run(board.eval(f"{name} ~= nil")):
            pytest.skip(f"the board's firmware has no {name}")


@pytest.fixture
def host(rig: Rig, board: Board) -> str:
    """The host's address as the board can reach it."""
    return rig.runner.run(_host_address(board))


@pytest.fixture
def address(rig: Rig, board: Board) -> str:
    """The board's own address."""
    return rig.runner.run(_addresses(board))[0]


async def _addresses(board: Board) -> tuple[str, str]:
    """The board's address and its gateway's."""
    if await board.eval("net.ifinfo ~= nil"):
        info = await board.net.ifinfo() or {}
        ip, gateway = info.get("ip"), info.get("gateway")
    else:  # firmware 2.x
        found = await board.lua.wifi.sta.getip() or (None, None, None)
        ip, gateway = (part and part.decode() for part in (found[0], found[2]))
    if ip in (None, "0.0.0.0"):
        pytest.skip("the board has joined no network")
    return ip, gateway


async def _host_address(board: Board) -> str:
    ip, gateway = await _addresses(board)
    if ip.startswith("127."):
        # A virtual board on loopback reaches its own network only, where the host is the gateway.
        return gateway
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((ip, 9))  # sends nothing; asks the system which of its addresses leads there
        return str(probe.getsockname()[0])


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run tests that are coroutines on the board's event loop."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    arguments = {name: pyfuncitem.funcargs[name] for name in inspect.signature(pyfuncitem.obj).parameters}
    rig = pyfuncitem.funcargs["rig"]
    rig.runner.run(pyfuncitem.obj(**arguments))
    return True
