"""Events of Wi-Fi on their way to Lua."""

from __future__ import annotations

from bridge.virtual.lwip.memnet import MemoryNetwork
from bridge.virtual.lwip.station import Event
from bridge.virtual.modules.wifi_eventmon import EventMonitor
from tests.virtual.bench import Bench
from tests.virtual.modules.net_bench import lines, on_network


def test_events_queue_up_and_come_one_by_one() -> None:
    async def test(bench: Bench, _network: MemoryNetwork) -> None:
        monitor = EventMonitor(bench.firmware.system)
        bench.firmware.system.network.station.listener = monitor.happened
        function = bench.firmware.system.lua.library("tostring")
        monitor.set(Event.GOT_IP, function)
        for _ in range(20):  # more than a task queue holds
            monitor.happened(Event.GOT_IP, {"IP": b"1.2.3.4"})
        monitor.happened(Event.CONNECTED, {})  # nobody asked for it
        await bench.read()
        assert not monitor._queue

    on_network(test)


def test_constants_and_reasons() -> None:
    async def test(bench: Bench, _network: MemoryNetwork) -> None:
        assert await lines(bench, "=wifi.eventmon.STA_GOT_IP,wifi.eventmon.EVENT_MAX") == ["3\t10"]
        assert await lines(bench, '=wifi.eventmon.reason.AUTH_FAIL,wifi.eventmon.reason["4WAY_HANDSHAKE_TIMEOUT"]') == [
            "202\t15"
        ]

    on_network(test, extra="wifi")


def test_a_callback_can_be_taken_away() -> None:
    async def test(bench: Bench, _network: MemoryNetwork) -> None:
        await bench.type(
            "wifi.eventmon.register(wifi.eventmon.STA_DISCONNECTED,function(t) print('gone',t.reason) end)"
        )
        assert await lines(bench, "wifi.sta.disconnect()") == ["gone\t8"]
        await bench.type("wifi.sta.connect()", 2)
        await bench.type("wifi.eventmon.unregister(wifi.eventmon.STA_DISCONNECTED)")
        assert await lines(bench, "wifi.sta.disconnect()") == []

    on_network(test, extra="wifi")
