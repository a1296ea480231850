from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bridge.errors import PortError, PortNotFound, UsageError
from bridge.ports.open import open_port
from bridge.ports.socket import split_url
from tests.contracts import Rig, check_port
from tests.ports.terminal_server import terminal_server


@asynccontextmanager
async def rig() -> AsyncIterator[Rig]:
    async with terminal_server(telnet=False) as server:
        port = await open_port(server.url)
        try:
            yield Rig(port, server, baud=port.baud)
        finally:
            await port.close()


def test_contract() -> None:
    asyncio.run(check_port(rig))


def test_it_has_neither_speed_nor_lines() -> None:
    async def scenario() -> None:
        async with rig() as made:
            with pytest.raises(PortError, match="cannot change its speed"):
                await made.port.set_baud(9600)
            with pytest.raises(PortError, match="no DTR and RTS"):
                await made.port.set_lines(rts=True)
            await made.port.set_baud(made.port.baud)

    asyncio.run(scenario())


def test_nobody_listens_and_no_such_host() -> None:
    with pytest.raises(PortNotFound, match="Nobody listens"):
        asyncio.run(open_port("socket://127.0.0.1:9"))
    with pytest.raises(PortNotFound, match="there is no host board.invalid"):
        asyncio.run(open_port("socket://board.invalid:9"))


def test_split_url() -> None:
    assert split_url("rfc2217://h:12?ign_set_control&a=b") == ("h", 12, {"ign_set_control": "", "a": "b"})
    assert split_url("socket://[::1]:12") == ("::1", 12, {})
    with pytest.raises(UsageError, match="Write socket://host:port"):
        split_url("socket://h:99999")


@pytest.mark.parametrize("url", ["socket://a\0b:1", "rfc2217://h:1?x=\0", "socket://h", "socket://h:0"])
def test_what_names_no_host_and_port(url: str) -> None:
    with pytest.raises(UsageError, match="does not name a host and a TCP port") as caught:
        split_url(url)
    assert "\0" not in str(caught.value)
