"""Boards of three builds on the virtual clock, each opened once for all tests of the faces.

Tests are coroutines on the board's event loop. After each, nothing may have been reported but what it took away itself.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.board import Board
from bridge.opening import open_board
from bridge.virtual.board import VirtualBoard
from bridge.virtual.clock import VirtualClockLoop
from bridge.virtual.options import VirtualOptions
from bridge.virtual.port import VirtualPort
from bridge.virtual.sdk.firmware import Firmware
from bridge.virtual.sdk.system import System
from tests.same_epoch import start

BUILDS = {
    "5.1": {"lua": "5.1"},
    "integer": {"lua": "5.1", "number": "integer"},
    "5.3": {"lua": "5.3"},
}


async def rejoin(board: Board) -> None:
    """Have the station in the network."""
    await board.wifi.sta.config({"ssid": "virtual", "save": False})
    for _ in range(30):
        if await board.wifi.sta.status() == board.wifi.STA_GOTIP:
            return
        await asyncio.sleep(1)
    raise AssertionError("the station does not come back")


class Rig:
    """A board of one build, and what it reported."""

    def __init__(self, build: str, runner: asyncio.Runner, trace: Path) -> None:
        self.build = build
        self.runner = runner
        self.trace = trace
        self.faults: list[str] = []
        self.errors: list[BaseException] = []
        self.printed = bytearray()
        self.virtual = VirtualBoard(VirtualOptions(clock="virtual", cpu=0, flash=0, **BUILDS[build]))  # type: ignore[arg-type]

    async def open(self) -> None:
        await self.virtual.start()
        await self.virtual.answered()
        self.port = VirtualPort(self.virtual)
        self.board = await open_board(self.port, start=start, trace=self.trace)
        self.board.on("fault", self.faults.append)
        self.board.on("error", lambda error, where: self.errors.append(error))
        self.board.on("console", self.printed.extend)

    async def close(self) -> None:
        await self.board.close()
        await self.port.close()
        await self.virtual.close()

    @property
    def system(self) -> System:
        """The firmware that runs now."""
        firmware = self.virtual.chip.application
        assert isinstance(firmware, Firmware) and firmware.system is not None
        return firmware.system


@pytest.fixture(scope="package", params=BUILDS)
def rig(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with asyncio.Runner(loop_factory=VirtualClockLoop) as runner:
        assert isinstance(loop := runner.get_loop(), VirtualClockLoop)
        loop.limit(3600.0)  # all tests together: a test that waits for what never comes would spin
        rig = Rig(request.param, runner, tmp_path_factory.mktemp("faces") / "trace")
        runner.run(rig.open())
        yield rig
        runner.run(rig.close())


@pytest.fixture
def board(rig: Rig) -> Iterator[Board]:
    yield rig.board
    rig.runner.run(asyncio.sleep(0.1))
    said, rig.faults[:], rig.errors[:] = (*rig.faults, *rig.errors), [], []
    assert said == ()


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run tests that are coroutines on the board's event loop."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    arguments = {name: pyfuncitem.funcargs[name] for name in inspect.signature(pyfuncitem.obj).parameters}
    pyfuncitem.funcargs["rig"].runner.run(pyfuncitem.obj(**arguments))
    return True
