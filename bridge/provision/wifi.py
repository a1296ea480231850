"""Joins a board to a network, and tells a wrong password from an absent network."""

from __future__ import annotations

import asyncio
from typing import Any

from bridge.board import Board
from bridge.errors import NetError, WifiAbsent, WifiRefused
from bridge.mirror.modules.wifi_eventmon import Reason
from bridge.provision.plan import WifiWish

#: Reasons of a disconnection that mean: the network is there and does not take this password.
_REFUSED = frozenset(
    (Reason.AUTH_EXPIRE, Reason.MIC_FAILURE, Reason.THE_4WAY_HANDSHAKE_TIMEOUT, Reason.THE_802_1X_AUTH_FAILED,
     Reason.AUTH_FAIL, Reason.HANDSHAKE_TIMEOUT)
)  # fmt: skip
#: One refusal or one scan in vain may be chance; the SDK tries again by itself.
_ENOUGH = 2


async def configure(board: Board, wish: WifiWish) -> None:
    """Configure the station, kept over restarts, so that it joins the network where there is one; not waited for.

    Args:
        board: with the module `wifi`.
        wish: the network.
    """
    await board.wifi.setmode(board.wifi.STATION)
    settings: dict[str, Any] = {"ssid": wish.ssid, "auto": True, "save": True}
    if wish.password is not None:
        settings["pwd"] = wish.password.reveal()
    await board.wifi.sta.config(settings)  # type: ignore[arg-type]


async def join(board: Board, wish: WifiWish) -> str:
    """Configure the station, kept over restarts, and wait for an address.

    Args:
        board: with the module `wifi`.
        wish: the network.

    Returns:
        The address.

    Raises:
        WifiRefused, WifiAbsent: by the reasons that the board gave.
        NetError: no address in time for another reason.
    """
    reasons: list[int] = []
    news = asyncio.Event()

    def disconnected(what: dict[str, Any]) -> None:
        reasons.append(int(what.get("reason", 0)))
        news.set()

    def got_ip(_what: dict[str, Any]) -> None:
        news.set()

    monitor = board.wifi.eventmon
    await monitor.register(monitor.STA_DISCONNECTED, disconnected)
    await monitor.register(monitor.STA_GOT_IP, got_ip)
    try:
        await configure(board, wish)
        return await _address(board, wish, reasons, news)
    finally:
        await monitor.unregister(monitor.STA_DISCONNECTED)
        await monitor.unregister(monitor.STA_GOT_IP)


async def await_address(board: Board, seconds: float) -> str | None:
    """Wait for an address of a station that is configured; None if none comes in time."""
    news = asyncio.Event()
    monitor = board.wifi.eventmon
    await monitor.register(monitor.STA_GOT_IP, lambda _what: news.set())
    try:
        found = await board.wifi.sta.getip()
        if found is None:
            async with asyncio.timeout(seconds):
                await news.wait()
            found = await board.wifi.sta.getip()
        return None if found is None else found[0]
    except TimeoutError:
        return None
    finally:
        await monitor.unregister(monitor.STA_GOT_IP)


async def _address(board: Board, wish: WifiWish, reasons: list[int], news: asyncio.Event) -> str:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + wish.seconds
    while True:
        news.clear()
        found = await board.wifi.sta.getip()
        if found is not None:
            return found[0]
        refused = sum(reason in _REFUSED for reason in reasons)
        absent = reasons.count(Reason.NO_AP_FOUND)
        late = loop.time() >= deadline
        if refused >= _ENOUGH or (late and refused):
            raise WifiRefused(
                f"The network {wish.ssid} does not take the password",
                port=board.url,
                remedy="Put the right one where the file says, and run it again.",
            )
        if absent >= _ENOUGH or (late and absent):
            raise WifiAbsent(
                f"The network {wish.ssid} is not in the air here",
                port=board.url,
                remedy="Check its name, that it has 2.4 GHz, and the board's place; then run it again.",
            )
        if late:
            why = f" (reason {reasons[-1]})" if reasons else ""
            raise NetError(
                f"The network {wish.ssid} gave the board no address within {wish.seconds:g} s{why}",
                port=board.url,
                remedy="Check its DHCP server, and run it again.",
            )
        try:
            async with asyncio.timeout(min(1.0, max(deadline - loop.time(), 0.01))):
                await news.wait()
        except TimeoutError:
            continue
