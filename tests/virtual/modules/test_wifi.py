"""The wifi module on a whole firmware."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from bridge.virtual import clock
from bridge.virtual.lwip.memnet import MemoryNetwork
from tests.virtual.bench import Bench, formatted_flash

_EVENTS = (
    'for _,n in ipairs{"STA_CONNECTED","STA_DISCONNECTED","STA_GOT_IP","WIFI_MODE_CHANGED"} do '
    "wifi.eventmon.register(wifi.eventmon[n],function(t) print(n,t.SSID,t.reason,t.channel,t.IP,t.new_mode) end) end"
)


def run(test: Callable[[Bench], Awaitable[None]], **options: object) -> None:
    async def main() -> None:
        bench = await Bench.boot(
            modules="net,node,tmr,uart,wifi", network_factory=MemoryNetwork().factory, cpu=0, **options
        )
        await test(bench)
        bench.close()

    clock.run(main())


def test_a_board_is_associated_from_boot_on_by_default() -> None:
    async def test(bench: Bench) -> None:
        assert await bench.answer("=wifi.sta.status(),wifi.STA_GOTIP") == "5\t5"
        assert await bench.answer("=wifi.sta.getip()") == "10.77.0.2\t255.255.255.0\t10.77.0.1"
        assert await bench.answer("=wifi.sta.getbroadcast()") == "10.77.0.255"
        assert await bench.answer("=wifi.sta.getmac()") == "5c:cf:7f:ab:cd:ef"
        assert await bench.answer("=wifi.ap.getmac()") == "5e:cf:7f:ab:cd:ef"
        assert await bench.answer("=wifi.sta.gethostname()") == "NODE-ABCDEF"
        assert await bench.answer("=wifi.getmode(),wifi.getphymode(),wifi.sta.getrssi()") == "1\t3\t-51"

    run(test)


def test_leaving_and_joining_is_told_by_events_and_takes_the_addresses_along() -> None:
    async def test(bench: Bench) -> None:
        await bench.type(_EVENTS)
        said = await bench.answer("wifi.sta.disconnect()", 0.5)
        assert said == "> STA_DISCONNECTED\tvirtual\t8\tnil\tnil\tnil"
        assert await bench.answer("=wifi.sta.status(),wifi.sta.getip()") == "0\tnil"
        assert await bench.answer("=pcall(net.createUDPSocket().send,net.createUDPSocket(),9,'1.2.3.4','x')") == (
            "false\trouting problem"
        )
        said = await bench.answer("wifi.sta.connect()", 3)
        assert said.splitlines() == [
            "> STA_CONNECTED\tvirtual\tnil\t6\tnil\tnil",
            "STA_GOT_IP\tnil\tnil\tnil\t10.77.0.2\tnil",
        ]
        assert await bench.answer("=wifi.sta.status(),net.ifinfo(0).dhcp.server_ip") == "5\t10.77.0.1"

    run(test)


def test_a_wrong_password_and_a_missing_access_point_fail_as_on_silicon() -> None:
    async def test(bench: Bench) -> None:
        assert await bench.answer("=wifi.sta.status()") == "0"
        await bench.type(_EVENTS)
        said = await bench.type('=wifi.sta.config{ssid="home",pwd="wrong pass"}', 3.5, 4)
        assert "true" in said and "STA_DISCONNECTED\thome\t202" in said
        assert await bench.answer("=wifi.sta.status()") == "2"
        said = await bench.type('=wifi.sta.config{ssid="elsewhere",pwd="secret12"}', 2.5, 3)
        assert "STA_DISCONNECTED\telsewhere\t201" in said
        assert await bench.answer("=wifi.sta.status()") == "3"
        said = await bench.type('=wifi.sta.config{ssid="home",pwd="secret12"}', 2.5)
        assert "STA_GOT_IP\tnil\tnil\tnil\t10.77.0.2" in said
        assert await bench.answer("=wifi.sta.status()") == "5"

    run(test, wifi="home:secret12")


def test_settings_survive_a_restart_and_the_station_connects_by_itself() -> None:
    async def main() -> None:
        flash = formatted_flash()
        bench = await Bench.boot(
            modules="net,node,wifi", flash=flash, network_factory=MemoryNetwork().factory, cpu=0, wifi="home:secret12"
        )
        await bench.type('wifi.sta.config{ssid="home",pwd="secret12"}', 2)
        assert await bench.answer("=wifi.sta.status()") == "5"
        await bench.type("node.restart()", 3)
        assert await bench.answer("=wifi.sta.status()") == "5"
        assert await bench.answer("=wifi.sta.getconfig()") == "home\tsecret12\t0\t00:00:00:00:00:00"
        await bench.type("wifi.setmode(wifi.NULLMODE)")
        await bench.type("wifi.setmode(wifi.STATIONAP,false)")
        assert await bench.answer("=wifi.getmode(),wifi.getdefaultmode()") == "3\t0"
        bench.close()

    clock.run(main())


def test_wrong_arguments_raise_what_the_source_says() -> None:
    async def test(bench: Bench) -> None:
        for line, text in {
            "wifi.setmode(4)": "bad argument #1 to 'setmode' (Invalid mode)",
            "wifi.setmode(1,1)": "bad argument #2 to 'setmode' (boolean expected, got number)",
            "wifi.sta.config('x')": "bad argument #1 to 'config' (config table not found!)",
            "wifi.sta.config{}": "bad argument #1 to 'config' (ssid required)",
            "wifi.sta.config{ssid=('x'):rep(33)}": "bad argument #1 to 'config' (ssid: length:0-32)",
            "wifi.sta.config{ssid='x',auto=1}": "bad argument #1 to 'config' (auto:not boolean)",
            "wifi.sta.sethostname('-x')": "bad argument #1 to 'sethostname' (Invalid hostname)",
            "wifi.eventmon.register(11)": "valid wifi events:0-10",
            "wifi.sta.setip(1)": "wrong arg type",
            "wifi.ap.config{ssid='x',pwd='short'}": "bad argument #1 to 'config' (pwd: length:0 or 8-64)",
        }.items():
            assert f"Lua error: \tstdin:1: {text}\r\n" in await bench.type(line), line

    run(test)


def test_what_setmaxtxpower_returns_is_what_it_was_given() -> None:
    # wifi_setmaxtxpower returns 1 and pushes nothing.
    async def test(bench: Bench) -> None:
        assert await bench.answer("=wifi.setmaxtxpower(50),(wifi.setmaxtxpower('20'))..''") == "50\t20"

    run(test)


def test_a_scan_finds_the_access_point() -> None:
    async def test(bench: Bench) -> None:
        said = await bench.type("wifi.sta.getap(function(t) for k,v in pairs(t) do print(k,v) end end)", 3)
        assert "virtual\t3,-51,02:00:5e:10:00:01,6" in said
        said = await bench.type("wifi.sta.getap(1,function(t) for k,v in pairs(t) do print(k,v) end end)", 3)
        assert "02:00:5e:10:00:01\tvirtual,-51,3,6" in said
        assert "wrong arg type" in await bench.type("wifi.sta.getap('x')")

    run(test)


def test_an_error_in_an_event_callback_is_protected_and_restarts_the_board() -> None:
    async def test(bench: Bench) -> None:
        await bench.type('wifi.eventmon.register(wifi.eventmon.STA_DISCONNECTED,function() error("oh") end)')
        said = await bench.type("wifi.sta.disconnect()", 4)
        assert "oh" in said and "PANIC" not in said and len(bench.resets) == 1

    run(test)
