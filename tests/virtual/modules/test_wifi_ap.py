"""The board's own access point, as far as its settings go."""

from __future__ import annotations

from bridge.virtual.lwip.memnet import MemoryNetwork
from tests.virtual.bench import Bench
from tests.virtual.modules.net_bench import lines, on_network


def test_settings_are_kept_while_the_access_point_is_on() -> None:
    async def test(bench: Bench, _network: MemoryNetwork) -> None:
        assert await lines(bench, '=wifi.ap.config{ssid="mine"}') == ["false"]
        assert await lines(bench, "=wifi.ap.getip()") == ["nil"]
        await bench.type("wifi.setmode(wifi.STATIONAP)", 0.5)
        assert await lines(bench, '=wifi.ap.config{ssid="mine",pwd="password",channel=11,hidden=true,max=2}') == [
            "true"
        ]
        assert await lines(bench, "=wifi.ap.getconfig()") == ["mine\tpassword"]
        assert await lines(
            bench, "c=wifi.ap.getdefaultconfig(true) print(c.auth,c.channel,c.hidden,c.max,c.beacon)"
        ) == ["4\t11\ttrue\t2\t100"]
        assert await lines(bench, "=wifi.ap.getip()") == ["192.168.4.1\t255.255.255.0\t192.168.4.1"]
        assert await lines(bench, '=wifi.ap.setip{ip="10.9.8.1",gateway="10.9.8.1"}') == ["true"]
        assert await lines(bench, "=wifi.ap.getip()") == ["10.9.8.1\t255.255.255.0\t10.9.8.1"]
        assert await lines(bench, "=wifi.ap.getbroadcast()") == ["10.9.8.255"]
        assert await lines(bench, "for k in pairs(wifi.ap.getclient()) do print(k) end") == []
        assert await lines(bench, '=wifi.ap.dhcp.config{start="10.9.8.100"}') == ["10.9.8.100\t10.9.8.101"]
        assert await lines(bench, "=wifi.ap.dhcp.start(),wifi.ap.deauth()") == ["true\ttrue"]
        assert await lines(bench, '=wifi.ap.setmac("5E:CF:7F:00:00:01"),wifi.ap.getmac()') == [
            "true\t5e:cf:7f:00:00:01"
        ]

    on_network(test, extra="wifi")


def test_wrong_arguments() -> None:
    async def test(bench: Bench, _network: MemoryNetwork) -> None:
        for line, text in {
            "wifi.ap.config(1)": "bad argument #1 to 'config' (table expected, got number)",
            "wifi.ap.config{}": "bad argument #1 to 'config' (ssid: required)",
            "wifi.ap.config{ssid='x',channel=14}": "bad argument #1 to 'config' (channel: Range:1-13)",
            "wifi.ap.config{ssid='x',hidden='x'}": "bad argument #1 to 'config' (hidden: not boolean)",
            "wifi.ap.getclient()": "Can't list clients in STATION mode",
            "wifi.ap.dhcp.config{}": "wrong arg type",
            "wifi.ap.setmac('x')": "bad argument #1 to 'setmac' (MAC:FF:FF:FF:FF:FF:FF)",
        }.items():
            assert f"Lua error: \tstdin:1: {text}\r\n" in await bench.type(line), line

    on_network(test, extra="wifi")
