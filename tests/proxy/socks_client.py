"""A client of SOCKS5, written for the tests from RFC 1928 and nothing else."""

from __future__ import annotations

import asyncio
import ipaddress
from dataclasses import dataclass
from types import TracebackType

CONNECT, BIND, UDP = 1, 2, 3


def address_bytes(host: str, port: int) -> bytes:
    """Type, address and port."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return b"\x03" + bytes((len(host),)) + host.encode() + port.to_bytes(2, "big")
    return (b"\x01" if address.version == 4 else b"\x04") + address.packed + port.to_bytes(2, "big")


@dataclass
class SocksClient:
    """A connection with the proxy: `async with SocksClient(*address) as client`."""

    host: str
    port: int

    async def __aenter__(self) -> SocksClient:
        self.reader, self.writer = await asyncio.open_connection(self.host, self.port)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.writer.close()

    @property
    def name(self) -> str:
        """Address and port of this end."""
        host, port = self.writer.get_extra_info("sockname")
        return f"{host}:{port}"

    async def greet(self) -> None:
        """Offer to come without a login."""
        self.writer.write(b"\x05\x01\x00")
        assert await self.reader.readexactly(2) == b"\x05\x00"

    async def ask(self, command: int, host: str, port: int) -> None:
        """Greet and send a request."""
        await self.greet()
        self.writer.write(bytes((5, command, 0)) + address_bytes(host, port))

    async def reply(self) -> tuple[int, str, int]:
        """Code, address and port of a reply."""
        version, code, _, kind = await self.reader.readexactly(4)
        assert version == 5 and kind in (1, 4)
        address = await self.reader.readexactly(4 if kind == 1 else 16)
        return code, str(ipaddress.ip_address(address)), int.from_bytes(await self.reader.readexactly(2), "big")

    async def request(self, command: int, host: str, port: int) -> tuple[int, str, int]:
        """Send a request, and what the proxy replies."""
        await self.ask(command, host, port)
        return await self.reply()
