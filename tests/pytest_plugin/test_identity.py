from __future__ import annotations

import asyncio

import pytest

from bridge.opening import open_board
from bridge.pytest_plugin.identity import identity_of
from tests.pytest_plugin.boards import FAST

MAC = "5c:cf:7f:00:00:01"


@pytest.mark.parametrize(
    ("options", "firmware"),
    [
        ("", "NodeMCU 3.0.0, release 36cbf9f, Lua 5.1 float"),
        ("&lua=5.3", "NodeMCU 3.0.0, release 36cbf9f, Lua 5.3 float"),
        ("&firmware=2.2.1&number=integer", "NodeMCU 2.2.1, Lua 5.1 integer"),
    ],
)
def test_a_board_says_who_it_is(options: str, firmware: str) -> None:
    async def main() -> None:
        async with open_board(f"{FAST}&mac={MAC}{options}") as board:
            assert await identity_of(board) == (MAC, firmware)

    asyncio.run(main())


def test_a_board_without_wifi_has_no_address() -> None:
    async def main() -> None:
        async with open_board(f"{FAST}&modules=file,node,tmr,uart") as board:
            assert (await identity_of(board))[0] is None

    asyncio.run(main())
