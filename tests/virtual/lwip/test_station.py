"""The Wi-Fi station without Lua."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from bridge.virtual import clock
from bridge.virtual.lwip.memnet import MemoryNetwork
from bridge.virtual.lwip.stack import NetworkStack
from bridge.virtual.lwip.station import Event, Reason, Station, Status, mac_text, read_option
from bridge.virtual.lwip.station_settings import NULL_MODE, STATION_MODE, StationConfig
from bridge.virtual.options import VirtualOptions
from tests.virtual.lwip.bare import BareKernel, boot

Log = list[tuple[Event, object]]


def with_station(test: Callable[[Station, NetworkStack, Log], Awaitable[None]], wifi: str) -> None:
    async def main() -> None:
        stack = boot(MemoryNetwork(), BareKernel(options=VirtualOptions(wifi=wifi)))
        log: Log = []
        stack.station.listener = lambda event, details: log.append((event, details.get("reason", details.get("IP"))))
        await test(stack.station, stack, log)

    clock.run(main())


def test_up_means_from_boot_on() -> None:
    async def test(station: Station, stack: NetworkStack, log: Log) -> None:
        assert station.status is Status.GOT_IP and stack.interface.up and log == []
        station.connect()
        await asyncio.sleep(5)
        assert log == []

    with_station(test, "up")


def test_off_means_not_configured_and_down_means_not_found() -> None:
    async def off(station: Station, stack: NetworkStack, log: Log) -> None:
        station.connect()
        await asyncio.sleep(10)
        assert station.status is Status.IDLE and log == []

    async def down(station: Station, stack: NetworkStack, log: Log) -> None:
        await asyncio.sleep(5)
        assert station.status is Status.NO_AP_FOUND and log == [(Event.DISCONNECTED, Reason.NO_AP_FOUND)] * 2
        station.come_back()
        await asyncio.sleep(5)
        assert station.status is Status.GOT_IP and log[-1] == (Event.GOT_IP, b"10.77.0.2")

    with_station(off, "off")
    with_station(down, "down")


def test_only_the_right_name_and_password_get_in() -> None:
    async def test(station: Station, stack: NetworkStack, log: Log) -> None:
        station.configure(StationConfig(b"home", b"wrong"), keep=True, auto=True)
        await asyncio.sleep(4)
        assert station.status is Status.WRONG_PASSWORD and log == [(Event.DISCONNECTED, Reason.AUTH_FAIL)]
        station.configure(StationConfig(b"home", b"secret12"), keep=False, auto=True)
        await asyncio.sleep(4)
        assert station.status is Status.GOT_IP
        assert station.settings.station.password == b"wrong" and station.current.station.password == b"secret12"
        station.set_mode(NULL_MODE, keep=False)
        assert not stack.interface.up and log[-1] == (Event.DISCONNECTED, Reason.ASSOC_LEAVE)
        station.set_mode(STATION_MODE, keep=False)
        await asyncio.sleep(4)
        assert stack.interface.up

    with_station(test, "home:secret12")


def test_a_lost_access_point_is_noticed_and_found_again() -> None:
    async def test(station: Station, stack: NetworkStack, log: Log) -> None:
        station.lose()
        assert log == [(Event.DISCONNECTED, Reason.BEACON_TIMEOUT)] and not stack.interface.up
        await asyncio.sleep(3)
        station.come_back()
        await asyncio.sleep(5)
        assert station.status is Status.GOT_IP

    with_station(test, "up")


def test_addresses_set_by_hand_need_no_dhcp() -> None:
    async def test(station: Station, stack: NetworkStack, log: Log) -> None:
        station.set_addresses(5, 6, 7)
        assert (stack.interface.address, stack.interface.netmask, stack.interface.gateway) == (5, 6, 7)
        assert stack.interface.dhcp_server == 0 and log == [(Event.GOT_IP, b"0.0.0.5")]

    with_station(test, "up")


def test_options_and_texts() -> None:
    assert read_option("home").password == b"" and read_option("home").auth == 0
    assert read_option("a:b:c").password == b"b:c"
    assert mac_text(b"\x02\x00\x5e\xab\xcd\xef") == b"02:00:5e:ab:cd:ef"
