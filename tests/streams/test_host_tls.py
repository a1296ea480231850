from __future__ import annotations

import asyncio
import ssl
from typing import Any

import pytest

from bridge.errors import ArgumentRefused
from bridge.streams.host_tls import client_context
from tests.streams.recording import Buffered, Recording
from tests.streams.secured import BELIEVING, SHOWN, SecuredFar
from tests.streams.worlds import BoardWorld


def test_what_encrypts() -> None:
    assert client_context(BELIEVING) is BELIEVING
    made = client_context(True)
    assert made.verify_mode is ssl.CERT_REQUIRED and made.check_hostname


@pytest.mark.parametrize("wrong", ["boards", 5, b"board"])
def test_what_does_not(wrong: Any) -> None:
    with pytest.raises(ArgumentRefused, match="nothing to encrypt with"):
        client_context(wrong)


@pytest.mark.world("board")
@pytest.mark.parametrize("factory", [Recording, Buffered])
async def test_what_comes_together_with_the_end_of_the_handshake_is_not_lost(world: BoardWorld, factory: Any) -> None:
    async def serve() -> None:
        far = SecuredFar(await server.accept(), SHOWN)
        await far.handshake()
        far.write(b"at once")
        far.close()

    async with world.far_server() as server:
        serving = asyncio.ensure_future(serve())
        _, protocol = await world.create_connection(factory, *server.address, ssl=BELIEVING, server_hostname="server")
        assert await protocol.ended() is None
        assert bytes(protocol.data) == b"at once" and protocol.calls == ["made", "data", "eof", "lost"]
        await serving
