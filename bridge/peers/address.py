"""At which address a board reaches this computer, and at which it is reached itself."""

from __future__ import annotations

import asyncio
import socket

from bridge.board import Board
from bridge.errors import NetError

#: Seconds for a board that is joining a network to have an address: scan, association and DHCP take it up to ten.
JOIN = 20.0
#: Seconds between looks at it.
_LOOK = 0.2
#: `wifi.STA_CONNECTING`
_CONNECTING = 1


async def board_address(board: Board) -> str:
    """The board's own address; waited for while the board is joining its network, as it does after each restart.

    Raises:
        NetError: it has joined no network.
    """
    return (await _addresses(board))[0]


async def host_address(board: Board) -> str:
    """The address of this computer that the board can reach; waited for as `board_address` does.

    Raises:
        NetError: the board has joined no network.
    """
    ip, gateway = await _addresses(board)
    if ip.startswith("127."):
        # A virtual board on loopback reaches its own network only, where the host is the gateway.
        return gateway
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((ip, 9))  # sends nothing; asks the system which of its addresses leads there
        return str(probe.getsockname()[0])


async def _addresses(board: Board) -> tuple[str, str]:
    """The board's address and its gateway's."""
    loop = asyncio.get_running_loop()
    end = loop.time() + JOIN
    while True:
        ip, gateway = await _look(board)
        if ip is not None and gateway is not None and ip != "0.0.0.0":
            return ip, gateway
        if loop.time() > end or await board.eval("wifi and wifi.sta.status()") != _CONNECTING:
            raise NetError(
                "The board has joined no network",
                port=board.url,
                remedy="Let it join one: board.wifi.sta.config, or provisioning.",
            )
        await asyncio.sleep(_LOOK)


async def _look(board: Board) -> tuple[str | None, str | None]:
    if await board.eval("net.ifinfo ~= nil"):
        info = await board.net.ifinfo() or {}
        return info.get("ip"), info.get("gateway")
    # firmware 2.x
    found = await board.lua.wifi.sta.getip() or (None, None, None)
    return found[0] and found[0].decode(), found[2] and found[2].decode()
