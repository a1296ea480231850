"""The chip and its system, by `board.node`."""

from __future__ import annotations

import pytest

from bridge.errors import LuaError, UsageError
from tests.hil.conftest import Board


async def test_the_chip_says_who_it_is(board: Board) -> None:
    hardware = await board.node.info("hw")
    assert hardware["chip_id"] == await board.node.chipid()
    assert hardware["flash_size"] * 1024 == await board.node.flashsize()
    build = await board.node.info("build_config")
    assert {"node", "tmr", "uart"} <= set(build["modules"].split(","))
    assert build["number_type"] in ("float", "integer", "double")
    assert (await board.node.info("sw_version"))["node_version_major"] >= 3
    with pytest.raises(LuaError, match="invalid option"):
        await board.node.info("nosuch")


async def test_the_clock_can_be_changed_under_the_link(board: Board) -> None:
    for mhz in (board.node.CPU80MHZ, board.node.CPU160MHZ):
        assert await board.node.setcpufreq(mhz) == mhz == await board.node.getcpufreq()
        assert await board.node.heap() > 10_000


async def test_random_numbers_are_in_their_range(board: Board) -> None:
    assert {await board.node.random(3, 4) for _ in range(40)} == {3, 4}


async def test_the_next_start_can_be_read(board: Board) -> None:
    startup = await board.node.startup()
    assert startup["frequency"] in (80, 160) and isinstance(startup["banner"], bool)


async def test_a_restart_comes_back_with_its_reason(board: Board) -> None:
    await board.node.restart()
    assert (await board.node.bootreason())[1] == 4


async def test_what_would_end_the_link_is_refused(board: Board) -> None:
    with pytest.raises(UsageError):
        await board.node.dsleep(1_000_000)
    with pytest.raises(UsageError):
        await board.node.input("print(1)")
    assert await board.node.heap() > 10_000
