from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bridge.errors import PortBusy, PortError, PortNotFound, UsageError
from bridge.ports import rfc2217
from bridge.ports.open import open_port
from tests.contracts import Rig, check_port
from tests.ports.terminal_server import terminal_server


@asynccontextmanager
async def rig() -> AsyncIterator[Rig]:
    async with terminal_server() as server:
        port = await open_port(server.url)
        try:
            yield Rig(port, server)
        finally:
            await port.close()


def test_contract_against_pyserials_server() -> None:
    asyncio.run(check_port(rig))


def test_opening_sets_the_line_and_drives_no_modem_line() -> None:
    async def scenario() -> None:
        async with terminal_server() as server:
            port = await open_port(server.url, baud=74880)
            adapter = server.adapter
            assert (adapter.baudrate, adapter.bytesize, adapter.parity, adapter.stopbits) == (74880, 8, "N", 1)
            assert port.baud == 74880
            assert {name for name, _ in adapter.told} & {"dtr", "rts"} == set()
            await port.close()

    asyncio.run(scenario())


def test_lines_arrive_in_order_and_are_acknowledged() -> None:
    async def scenario() -> None:
        async with rig() as made:
            told = made.peer.adapter.told
            told.clear()
            await made.port.set_lines(dtr=False, rts=True)
            assert told == [("dtr", False), ("rts", True)]
            await made.port.set_lines(rts=False)
            assert told[2:] == [("rts", False)]
            await made.port.set_lines()
            assert len(told) == 3

    asyncio.run(scenario())


def test_a_speed_the_adapter_refuses() -> None:
    async def scenario() -> None:
        async with rig() as made:
            with pytest.raises(PortError, match="refuses 3000000 baud and stays at 115200"):
                await made.port.set_baud(3_000_000)
            with pytest.raises(PortError, match="4294967296 baud, which RFC 2217 has no room for"):
                await made.port.set_baud(1 << 32)
            assert made.port.baud == 115200

    asyncio.run(scenario())


def test_nobody_listens() -> None:
    with pytest.raises(PortNotFound, match="Nobody listens at rfc2217://127.0.0.1:9"):
        asyncio.run(open_port("rfc2217://127.0.0.1:9"))


def test_a_second_client_is_told_that_the_port_is_busy() -> None:
    async def scenario() -> None:
        async with rig() as made:
            with pytest.raises(PortBusy, match="Another client"):
                await open_port(made.port.url)

    asyncio.run(scenario())


def test_a_server_that_does_not_speak_rfc2217(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rfc2217, "ANSWER_TIMEOUT", 0.05)

    async def scenario() -> None:
        async with terminal_server(telnet=False) as server:
            with pytest.raises(PortError, match="socket://"):
                await open_port(server.url.replace("socket", "rfc2217"))

    asyncio.run(scenario())


def test_lines_that_are_never_acknowledged(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        async with terminal_server() as server:
            port = await open_port(server.url)
            server.adapter.__dict__["dtr"] = None
            monkeypatch.setattr(rfc2217, "ANSWER_TIMEOUT", 0.05)
            monkeypatch.setattr(
                "serial.rfc2217.PortManager.rfc2217_send_subnegotiation", lambda self, option, value=b"": None
            )
            with pytest.raises(PortError, match="ign_set_control"):
                await port.set_lines(dtr=True)
            await port.close()
        async with terminal_server() as server:
            monkeypatch.undo()
            port = await open_port(f"{server.url}?ign_set_control")
            monkeypatch.setattr(
                "serial.rfc2217.PortManager.rfc2217_send_subnegotiation", lambda self, option, value=b"": None
            )
            await port.set_lines(dtr=True)
            port.write(b"x")
            await server.hear(1)
            assert server.adapter.dtr is True
            await port.close()

    asyncio.run(scenario())


@pytest.mark.parametrize("url", ["rfc2217://", "rfc2217://host", "rfc2217://host:notanumber", "rfc2217://:1"])
def test_urls_that_name_nobody(url: str) -> None:
    with pytest.raises(UsageError, match="host and a TCP port"):
        asyncio.run(open_port(url))
