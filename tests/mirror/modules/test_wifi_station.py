from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from bridge.board import Board
from bridge.errors import LuaError, UsageError
from bridge.mirror.modules.wifi_config import StationConfig, StationTuple
from bridge.mirror.modules.wifi_scan import AccessPoint
from tests.mirror.modules.conftest import Rig, rejoin

FOUND = AccessPoint("virtual", "02:00:5e:10:00:01", -51, 3, 6)
SECRET = "hush-hush-7"


async def test_what_a_station_knows(rig: Rig, board: Board) -> None:
    sta = board.wifi.sta
    await rejoin(board)
    info = await board.net.ifinfo()
    assert info is not None
    assert await sta.getip() == (info["ip"], info["netmask"], info["gateway"])
    assert await sta.getbroadcast() == info["ip"].rsplit(".", 1)[0] + ".255"
    assert await sta.getmac() == info["hwaddr"].hex(":")
    assert await sta.getrssi() == -51
    assert await sta.getapindex() == 1 and await sta.changeap(1) is True
    assert await sta.setaplimit(5) is True
    assert await sta.sleeptype() == board.wifi.MODEM_SLEEP
    with pytest.raises(LuaError, match="Valid range: 1-5"):
        await sta.changeap(6)
    with pytest.raises(LuaError, match="0 or 1"):
        await sta.autoconnect(2)
    await sta.autoconnect(True)


async def test_a_network_is_configured_and_its_password_is_shown_nowhere(
    rig: Rig, board: Board, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    sta = board.wifi.sta
    assert await sta.config({"ssid": "Müller", "pwd": SECRET, "auto": False, "bssid": "02:00:5E:10:00:09"}) is True
    wanted = StationConfig("Müller", SECRET, True, "02:00:5e:10:00:09")
    assert await sta.getconfig(True) == wanted == await sta.getdefaultconfig(True)
    old = await sta.getconfig()
    assert old == ("Müller", SECRET, 1, "02:00:5e:10:00:09") and isinstance(await sta.getdefaultconfig(), StationTuple)
    stored = await sta.getapinfo()
    assert list(stored) == [1] and stored[1].pwd == SECRET
    with pytest.raises(LuaError) as wrong:
        await sta.config({"ssid": "x" * 33, "pwd": SECRET})
    with pytest.raises(UsageError, match="no setting 'password'") as mistyped:
        await sta.config({"ssid": "home", "password": SECRET})  # type: ignore[typeddict-unknown-key]
    with pytest.raises(UsageError, match="are a dict") as positional:
        await sta.config(f"home,{SECRET}")  # type: ignore[arg-type]
    shown = [repr(wanted), repr(old), repr(stored), *map(repr, (wrong.value, mistyped.value, positional.value))]
    shown += [str(error.value) for error in (wrong, mistyped, positional)]
    shown += [caplog.text, bytes(rig.printed).decode("latin-1")]
    assert not [text for text in shown if SECRET in text]
    assert SECRET.encode() not in rig.trace.read_bytes()
    assert await sta.clearconfig() is True
    assert await sta.getconfig(True) == StationConfig("", None, False, "00:00:00:00:00:00")
    assert await sta.getapinfo() == {}
    await rejoin(board)


async def test_a_password_that_lua_reads_by_itself_is_shown_nowhere(
    rig: Rig, board: Board, caplog: pytest.LogCaptureFixture
) -> None:
    """Through the face that knows nothing of secrets, from chunks of Lua, and where the log is turned on only then."""
    sta = board.lua.wifi.sta
    await board.wifi.sta.config({"ssid": "home", "pwd": SECRET, "auto": False})
    assert (await sta.getconfig())[1] == SECRET.encode()  # compiled there before anybody listens
    caplog.set_level(logging.DEBUG)
    assert (await sta.getconfig())[1] == SECRET.encode()
    assert (await sta.getconfig(True))[b"pwd"] == SECRET.encode()
    assert (await board.eval("wifi.sta.getconfig()"))[1] == SECRET.encode()
    await board.exec("kept = select(2, wifi.sta.getconfig())")
    assert await board.eval("kept") == SECRET.encode()
    assert await board.eval("{1, {kept .. '!'}}") == [1, [SECRET.encode() + b"!"]]
    seen: list[bytes] = []
    await board.exec("local f = ... f(kept)", seen.append)
    assert seen == [SECRET.encode()]
    await board.lua.wifi.sta.config({"ssid": "home", "pwd": SECRET + "2", "auto": False})
    assert (await sta.getconfig())[1] == SECRET.encode() + b"2"
    with pytest.raises(LuaError) as wrong:
        await sta.config({"ssid": "home", "pwd": SECRET, "auto": SECRET})
    assert SECRET not in f"{wrong.value} {wrong.value!r}" and "INVOKE" in caplog.text or "ASK" in caplog.text
    assert SECRET not in caplog.text and SECRET.encode() not in rig.trace.read_bytes()
    await board.exec("kept = nil")
    await board.wifi.sta.clearconfig()
    await rejoin(board)


async def test_joining_and_leaving_tell_their_handlers(board: Board) -> None:
    sta, monitor = board.wifi.sta, board.wifi.eventmon
    seen: list[str] = []
    address: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
    await sta.config(
        {
            "ssid": "virtual",
            "save": False,
            "connect_cb": lambda event: seen.append(f"in {event['SSID']}"),
            "disconnect_cb": lambda event: seen.append("out"),
            "got_ip_cb": address.set_result,
        }
    )
    assert (await address)["IP"] == (await sta.getip() or ("",))[0]
    await sta.disconnect()
    await asyncio.sleep(1)
    assert seen[-2:] == ["in virtual", "out"]
    assert await sta.getrssi() is None
    for event in (monitor.STA_CONNECTED, monitor.STA_DISCONNECTED, monitor.STA_GOT_IP):
        await monitor.unregister(event)
    await rejoin(board)


async def test_settings_that_fail_leave_the_handlers_before(board: Board) -> None:
    sta = board.wifi.sta
    seen: list[str] = []
    await rejoin(board)
    await board.wifi.eventmon.register(board.wifi.eventmon.STA_DISCONNECTED, lambda event: seen.append("first"))
    with pytest.raises(LuaError, match="ssid required"):
        await sta.config({"disconnect_cb": lambda event: seen.append("second")})  # type: ignore[typeddict-item]
    with pytest.raises(UsageError, match="handler for event 0"):
        await sta.config({"ssid": "x", "disconnect_cb": print, "connect_cb": 3})  # type: ignore[typeddict-item]
    await sta.disconnect()
    await asyncio.sleep(1)
    assert seen == ["first"]
    await board.wifi.eventmon.unregister(board.wifi.eventmon.STA_DISCONNECTED)
    await rejoin(board)


async def test_scans(board: Board) -> None:
    sta = board.wifi.sta
    assert await sta.getap() == {"virtual": FOUND}
    assert await sta.getap(1) == {FOUND.bssid: FOUND}
    assert await sta.getap({"ssid": "virtual", "channel": 6, "show_hidden": 1}, 1) == {FOUND.bssid: FOUND}
    assert await sta.getap({"ssid": "other"}) == {}
    found: asyncio.Future[dict[str, AccessPoint]] = asyncio.get_running_loop().create_future()
    assert await sta.getap({"channel": 6}, 0, found.set_result) is None
    assert await found == {"virtual": FOUND}
    for values, what in (
        (({"channel": 14},), "channel: 0 or 1-13"),
        ((2,), "wrong arg type"),
        (({"ssid": "x" * 33},), "ssid:<32"),
    ):
        with pytest.raises(LuaError, match=what):
            await sta.getap(*values)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=r"\(cfg, format, callback\)"):
        await sta.getap("virtual")  # type: ignore[arg-type]


async def test_scans_at_once(board: Board) -> None:
    sta = board.wifi.sta
    assert await asyncio.gather(sta.getap(), sta.getap(1)) == [{"virtual": FOUND}, {FOUND.bssid: FOUND}]
    first = asyncio.ensure_future(sta.getap())
    await asyncio.sleep(0.2)
    found: asyncio.Future[object] = asyncio.get_running_loop().create_future()
    await sta.getap(1, found.set_result)
    with pytest.raises(UsageError, match="Another scan"):
        await first
    await asyncio.wait_for(found, 10)
    await asyncio.sleep(5)


async def test_a_scan_that_is_cancelled(board: Board) -> None:
    task = asyncio.ensure_future(board.wifi.sta.getap())
    await asyncio.sleep(0.2)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert task.cancelled() and await board.wifi.sta.getap(1) == {FOUND.bssid: FOUND}
    await asyncio.sleep(5)


async def test_addresses_and_names(board: Board) -> None:
    sta = board.wifi.sta
    await rejoin(board)
    ip, netmask, gateway = await sta.getip() or ("", "", "")
    assert await sta.setip({"ip": "10.0.0.9", "netmask": "255.255.0.0", "gateway": "10.0.0.1"}) is True
    assert await sta.getip() == ("10.0.0.9", "255.255.0.0", "10.0.0.1") and await sta.getbroadcast() == "10.0.255.255"
    await sta.setip({"ip": ip, "netmask": netmask, "gateway": gateway})
    mac = await sta.getmac()
    assert await sta.setmac("5C-CF-7F-00-00-01") is True and await sta.getmac() == "5c:cf:7f:00:00:01"
    with pytest.raises(LuaError, match="MAC:FF:FF:FF:FF:FF:FF"):
        await sta.setmac("5c:cf")
    await sta.setmac(mac)
    name = await sta.gethostname()
    assert await sta.sethostname("lamp-7") is True and await sta.gethostname() == "lamp-7"
    with pytest.raises(LuaError, match="Invalid hostname"):
        await sta.sethostname("-x")
    await sta.sethostname(name)


async def test_light_sleep_is_refused(board: Board) -> None:
    for face in (board.wifi, board.wifi.sta):
        with pytest.raises(UsageError, match="does not hear the line"):
            await face.sleeptype(board.wifi.LIGHT_SLEEP)
        with pytest.raises(UsageError, match="whole number"):
            await face.sleeptype("1")  # type: ignore[arg-type]
        assert await face.sleeptype(board.wifi.NONE_SLEEP) == 0
        assert await face.sleeptype(board.wifi.MODEM_SLEEP) == 2 == await face.sleeptype()
