"""UDP sockets of `net`, with NodeMCU's names and NodeMCU's behaviour (app/modules/net.c, release 3.0.0)."""

from __future__ import annotations

from typing import ClassVar

from bridge.mirror.handle import Handler, Remote
from bridge.mirror.tcp import Data, address, as_bytes, as_text
from bridge.wire.values import Value


class UDPSocket(Remote):
    """`net.udpsocket`.

    Events and what their handlers get after the socket:
        "receive": the data (bytes), the sender's port (int) and address (str), in this order.
        "sent": nothing. Comes for each `send`, at once: the stack has taken the datagram.
        "dns": the address (str), or None: the name was not resolved.
    """

    EVENTS: ClassVar[tuple[str, ...]] = ("receive", "sent", "dns")

    async def listen(self, port: int | None = None, ip: str | None = None) -> None:
        """Receive datagrams.

        Args:
            port: UDP port; None or 0 lets the board choose from 4096 on (`getaddr` tells which).
            ip: address to listen on; None is all.

        Raises:
            LuaError: "already listening" (also after a first `send`), "address in use", "invalid IP address".
        """
        await self.call(":listen", port or 0, ip or "0.0.0.0")
        self._set_in_use(True)

    async def send(self, port: int, ip: str, data: Data, callback: Handler | None = None) -> None:
        """Send a datagram; ends when the stack has taken it. Nobody is told whether it arrives.

        The stack cannot cut datagrams: more than 1 472 bytes do not arrive over Wi-Fi.

        Args:
            port: UDP port of the receiver.
            ip: its address; the stock module resolves no name here.
            data: bytes, or str as UTF-8.
            callback: becomes the "sent" handler.

        Raises:
            LuaError: "need port", "invalid IP address", "no data to send", "routing problem", ….
        """
        if callback is not None:
            self.on("sent", callback)
        await self.call(":send", port, ip, as_bytes(data))
        self._set_in_use(True)

    async def close(self) -> None:
        """Stop receiving; what came before is told no more.

        Raises:
            LuaError: "not connected": it neither listened nor sent.
        """
        await self.call(":close")
        self._drop_events()
        self._set_in_use(False)

    async def dns(self, domain: str, callback: Handler | None = None) -> None:
        """Resolve a name; the answer comes as the "dns" event, None after 7.8 s per DNS server that does not know."""
        if callback is not None:
            self.on("dns", callback)
        await self.call(":dns", domain)

    async def getaddr(self) -> tuple[int | None, str | None]:
        """(port, ip) of this end, or (None, None) before it listened or sent."""
        return address(await self.call(":getaddr"))

    async def ttl(self, ttl: int | None = None) -> int:
        """Set or read the time to live.

        Raises:
            LuaError: "socket is not open/bound yet".
        """
        return int((await self.call(":ttl", *(() if ttl is None else (ttl,))))[0])

    def _convert(self, name: str, values: tuple[Value, ...]) -> tuple[Value, ...]:
        if name == "receive":
            data, port, ip = (*values, None, None)[:3]
            return data, port, as_text(ip)
        return (as_text(values[0]) if values else None,) if name == "dns" else values
