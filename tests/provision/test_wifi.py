from __future__ import annotations

import pytest

from bridge.errors import NetError, WifiAbsent, WifiRefused
from bridge.opening import open_board
from bridge.provision.plan import WifiWish
from bridge.provision.secret import Secret
from bridge.provision.wifi import await_address, configure, join
from bridge.virtual import clock

WISH = WifiWish("workshop", Secret("correct-horse"), "mark", 30)


def board_in(air: str) -> str:
    return f"virtual:?clock=virtual&wifi={air}&modules=file,net,node,ow,tmr,uart,wifi"


def test_a_network_is_joined_and_kept_over_a_restart() -> None:
    async def scenario() -> None:
        async with open_board(board_in("workshop:correct-horse")) as board:
            assert await await_address(board, 0.5) is None
            address = await join(board, WISH)
            await board.reset()
            assert await await_address(board, 10) == address

    clock.run(scenario())


@pytest.mark.parametrize(
    ("air", "kind"), [("workshop:another", WifiRefused), ("elsewhere:x", WifiAbsent), ("down", WifiAbsent)]
)
def test_why_there_is_no_address(air: str, kind: type[NetError]) -> None:
    async def scenario() -> None:
        async with open_board(board_in(air)) as board:
            with pytest.raises(kind, match="The network workshop") as caught:
                await join(board, WISH)
            assert "correct-horse" not in str(caught.value)

    clock.run(scenario())


def test_an_open_network() -> None:
    async def scenario() -> None:
        async with open_board(board_in("workshop:")) as board:
            assert await join(board, WifiWish("workshop", None, "mark", 30))

    clock.run(scenario())


def test_a_network_for_another_place_is_configured_and_not_waited_for() -> None:
    async def scenario() -> None:
        async with open_board(board_in("elsewhere:x")) as board:
            await configure(board, WISH)
            await board.reset()
            there = await board.wifi.sta.getdefaultconfig(True)
            assert (there.ssid, there.pwd) == ("workshop", "correct-horse")

    clock.run(scenario())
