from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
import serial

from bridge.ports import protocol_rfc2217
from bridge.ports.esptool_handler import register
from tests.contracts import EVERY_BYTE
from tests.ports.terminal_server import TerminalServer, terminal_server


def against_a_server(blocking: Callable[[str, TerminalServer], None]) -> TerminalServer:
    """Run blocking client code against a server on this thread's loop."""

    async def scenario() -> TerminalServer:
        async with terminal_server() as server, asyncio.timeout(20):
            await asyncio.to_thread(blocking, server.url, server)
            return server

    return asyncio.run(scenario())


def test_pyserial_finds_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serial, "protocol_handler_packages", list(serial.protocol_handler_packages))
    register()
    register()
    made = serial.serial_for_url("rfc2217://127.0.0.1:1", do_not_open=True)
    assert type(made) is protocol_rfc2217.Serial
    assert serial.protocol_handler_packages.count("bridge.ports") == 1
    assert type(serial.serial_for_url("loop://")).__module__ == "serial.urlhandler.protocol_loop"


def opened(url: str) -> protocol_rfc2217.Serial:
    port = protocol_rfc2217.Serial(None, 115200, timeout=5)
    port.port = url
    port.open()
    return port


def test_timeouts_cost_the_server_nothing_and_settings_arrive() -> None:
    def client(url: str, server: TerminalServer) -> None:
        port = opened(url)
        adapter = server.adapter
        assert (adapter.baudrate, adapter.bytesize, adapter.parity, adapter.stopbits) == (115200, 8, "N", 1)
        told = len(adapter.told)
        for n in range(50):
            port.timeout = n
            port.write_timeout = n
        port.baudrate = 115200
        assert len(adapter.told) == told
        port.baudrate = 460800
        assert adapter.baudrate == 460800
        assert {name for name, _ in adapter.told} & {"dtr", "rts"} == set()
        # As esptool sets RTS: DTR is repeated after it, and must not become asserted by that.
        port.setRTS(True)
        port.setDTR(port.dtr)
        assert (adapter.rts, adapter.dtr) == (True, False)
        port.close()

    against_a_server(client)


def test_data_both_ways() -> None:
    async def scenario() -> None:
        async with terminal_server() as server, asyncio.timeout(20):
            port = await asyncio.to_thread(opened, server.url)
            assert await asyncio.to_thread(port.write, EVERY_BYTE) == 256
            assert await server.hear(256) == EVERY_BYTE
            await server.say(EVERY_BYTE)
            assert await asyncio.to_thread(port.read, 256) == EVERY_BYTE
            port.timeout = 0
            assert port.read(1) == b"" and port.in_waiting == 0
            await server.say(b"abc")
            port.timeout = 5
            assert await asyncio.to_thread(port.read, 1) == b"a"
            assert port.in_waiting == 2
            port.reset_input_buffer()
            assert port.in_waiting == 0
            await server.leave()
            with pytest.raises(serial.SerialException):
                await asyncio.to_thread(port.read, 1)
            port.close()
            with pytest.raises(serial.SerialException):
                port.write(b"x")

    asyncio.run(scenario())


def test_nobody_there() -> None:
    with pytest.raises(serial.SerialException, match="could not open port"):
        opened("rfc2217://127.0.0.1:9")
    with pytest.raises(serial.SerialException, match="could not open port"):
        opened("rfc2217://nonsense")
