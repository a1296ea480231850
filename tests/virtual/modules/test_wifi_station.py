"""wifi.sta in detail; its life is in test_wifi.py."""

from __future__ import annotations

from bridge.virtual.lwip.memnet import MemoryNetwork
from tests.virtual.bench import Bench
from tests.virtual.modules.net_bench import lines, on_network


def test_addresses_set_by_hand() -> None:
    async def test(bench: Bench, _network: MemoryNetwork) -> None:
        assert await lines(bench, '=wifi.sta.setip{ip="10.77.0.9",netmask="255.255.0.0"}') == ["true"]
        assert await lines(bench, "=wifi.sta.getip()") == ["10.77.0.9\t255.255.0.0\t10.77.0.1"]
        assert await lines(bench, "=wifi.sta.getbroadcast()") == ["10.77.255.255"]

    on_network(test, extra="wifi")


def test_names_and_numbers_of_the_station() -> None:
    async def test(bench: Bench, _network: MemoryNetwork) -> None:
        assert await lines(bench, '=wifi.sta.sethostname("my-board"),wifi.sta.gethostname()') == ["true\tmy-board"]
        assert await lines(bench, '=wifi.sta.setmac("5C:CF:7F:00:00:02"),wifi.sta.getmac()') == [
            "true\t5c:cf:7f:00:00:02"
        ]
        assert await lines(bench, '=wifi.sta.setmac("01:00:00:00:00:02")') == ["false"]
        assert await lines(bench, "=wifi.sta.sleeptype(wifi.LIGHT_SLEEP),wifi.sleeptype()") == ["1\t1"]
        assert await lines(bench, "=wifi.sta.changeap(1),wifi.sta.setaplimit(5),wifi.sta.getapindex()") == [
            "true\ttrue\t1"
        ]

    on_network(test, extra="wifi")


def test_the_configuration_is_told_in_two_ways() -> None:
    async def test(bench: Bench, _network: MemoryNetwork) -> None:
        config = 'wifi.sta.config{ssid="home",pwd="secret12",bssid="02:00:5e:10:00:01",save=false,auto=false}'
        assert await lines(bench, f"={config}") == ["true"]
        assert await lines(bench, "=wifi.sta.getconfig()") == ["home\tsecret12\t1\t02:00:5e:10:00:01"]
        assert await lines(bench, "=wifi.sta.getdefaultconfig()") == ["virtual\t\t0\t00:00:00:00:00:00"]
        assert await lines(bench, "c=wifi.sta.getconfig(true) print(c.ssid,c.pwd,c.bssid_set,c.bssid)") == [
            "home\tsecret12\ttrue\t02:00:5e:10:00:01"
        ]
        assert await lines(bench, "i=wifi.sta.getapinfo() print(i.qty,i[1].ssid,i[1].pwd)") == ["1\tvirtual\tnil"]
        assert await lines(bench, "=wifi.sta.clearconfig(),wifi.sta.getapinfo().qty") == ["true\t0"]

    on_network(test, extra="wifi")


def test_callbacks_of_config_and_connect() -> None:
    async def test(bench: Bench, _network: MemoryNetwork) -> None:
        await bench.type("function cb(n) return function(t) print(n,t.SSID or t.IP) end end")
        said = await lines(bench, 'wifi.sta.config{ssid="a",connect_cb=cb("con"),got_ip_cb=cb("ip")}', 3)
        assert said == ["con\ta", "ip\t10.77.0.2"]
        assert await lines(bench, "wifi.sta.disconnect(cb('dis'))") == ["dis\ta"]
        assert await lines(bench, "wifi.sta.connect(cb('again'))", 3) == ["again\ta", "ip\t10.77.0.2"]

    on_network(test, extra="wifi")


def test_a_scan_can_look_for_one_network() -> None:
    async def test(bench: Bench, _network: MemoryNetwork) -> None:
        await bench.type("function show(t) local n=0 for k in pairs(t) do n=n+1 end print(n) end")
        for arguments, found in {
            "{ssid='virtual'},show": "1",
            "{ssid='other'},1,show": "0",
            "{channel=6,show_hidden=1},0,show": "1",
            "{bssid='02:00:5e:10:00:02'},show": "0",
            "nil,show": "1",
        }.items():
            assert await lines(bench, f"wifi.sta.getap({arguments})", 3) == [found], arguments
        for arguments, text in {
            "{channel=14},show": "channel: 0 or 1-13",
            "{show_hidden=2},show": "show_hidden: 0 or 1",
            "{ssid={}},show": "wrong arg type",
            "2,show": "wrong arg type",
        }.items():
            assert f"Lua error: \tstdin:1: {text}\r\n" in await bench.type(f"wifi.sta.getap({arguments})"), arguments

    on_network(test, extra="wifi")


def test_a_scan_that_begins_while_one_runs_has_the_answer_of_both() -> None:
    # app/modules/wifi.c: the callback and the format (`getap_output_format`) are one for all, and the SDK begins none.
    async def test(bench: Bench, _network: MemoryNetwork) -> None:
        show = "function(t) for k,v in pairs(t) do print(%d,k,v) end end"
        await bench.type(f"wifi.sta.getap({show % 1}) wifi.sta.getap(1,{show % 2})")
        assert await lines(bench, "", 5) == ["2\t02:00:5e:10:00:01\tvirtual,-51,3,6"]

    on_network(test, extra="wifi")
