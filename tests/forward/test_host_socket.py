"""A UDP socket of this computer for a name that has several addresses."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import pytest

from bridge.forward.host_socket import HostSocket
from tests.forward.peers import udp_served

LOCAL = {socket.AF_INET6: "::1", socket.AF_INET: "127.0.0.1"}


@contextlib.asynccontextmanager
async def to_both(port: int, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[HostSocket, asyncio.Queue[bytes]]]:
    """A socket to a name with both addresses of loopback, that of IPv6 first; this computer's own tables may differ."""

    async def both(host: str, port: int, **options: object) -> list[object]:
        return [(family, socket.SOCK_DGRAM, 17, "", (address, port)) for family, address in LOCAL.items()]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", both)
    answers: asyncio.Queue[bytes] = asyncio.Queue()
    made = await HostSocket.open("both.test", port, answers.put_nowait)
    try:
        yield made, answers
    finally:
        await made.close()


@pytest.mark.parametrize("host", LOCAL.values())
def test_who_listens_on_one_of_the_addresses_is_found(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        try:
            serving = udp_served(host, bytes.upper)
            port = await serving.__aenter__()
        except OSError:
            pytest.skip("this computer has no IPv6")
        async with to_both(port, monkeypatch) as (made, answers), asyncio.timeout(20):
            for data in (b"one", b"two"):
                await made.send(data)
                assert await answers.get() == data.upper()
            await serving.__aexit__(None, None, None)
            for _ in range(3):  # nobody listens any more: it is given up, and comes to an end
                await made.send(b"lost")
                await asyncio.sleep(0.05)
            assert answers.empty()

    asyncio.run(scenario())


def test_a_name_that_nobody_knows() -> None:
    async def scenario() -> None:
        with pytest.raises(OSError):
            await HostSocket.open("nobody.invalid", 1, lambda data: None)

    asyncio.run(scenario())
