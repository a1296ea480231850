"""At which address a board reaches this computer, and at which it is reached itself."""

from __future__ import annotations

import socket

from bridge.board import Board
from bridge.errors import NetError


async def board_address(board: Board) -> str:
    """The board's own address.

    Raises:
        NetError: it has joined no network.
    """
    return (await _addresses(board))[0]


async def host_address(board: Board) -> str:
    """The address of this computer that the board can reach.

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
    ip: str | None
    gateway: str | None
    if await board.eval("net.ifinfo ~= nil"):
        info = await board.net.ifinfo() or {}
        ip, gateway = info.get("ip"), info.get("gateway")
    else:  # firmware 2.x
        found = await board.lua.wifi.sta.getip() or (None, None, None)
        ip, gateway = (part and part.decode() for part in (found[0], found[2]))
    if ip is None or gateway is None or ip == "0.0.0.0":
        raise NetError(
            "The board has joined no network",
            port=board.url,
            remedy="Let it join one: board.wifi.sta.config, or provisioning.",
        )
    return ip, gateway
