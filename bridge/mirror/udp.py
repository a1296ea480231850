"""UDP sockets of `net`, with NodeMCU's names and NodeMCU's behaviour (app/modules/net.c, release 3.0.0)."""

from __future__ import annotations

from typing import ClassVar

from bridge.mirror.arguments import Data, as_address, as_datagram, as_integer, as_name, as_port, as_text
from bridge.mirror.handle import Handler, Remote
from bridge.mirror.tcp import where_to_listen
from bridge.wire.values import Value


class UDPSocket(Remote):
    """`net.udpsocket`.

    Events and what their handlers get after the socket:
        "receive": the data (bytes), the sender's port (int) and address (str), in this order.
        "sent": nothing. Comes for each `send`, at once: the stack has taken the datagram.
        "dns": the address (str), or None: the name was not resolved.
    """

    EVENTS: ClassVar[tuple[str, ...]] = ("receive", "sent", "dns")

    async def listen(self, port: int | str | None = None, ip: str | None = None) -> None:
        """Receive datagrams: `listen()`, `listen(port)`, `listen(ip)`, `listen(port, ip)`.

        Args:
            port: UDP port; None or 0 lets the board choose from 4096 on (`getaddr` tells which).
            ip: address to listen on; None is all.

        Raises:
            LuaError: "already listening" (also after a first `send`), "address in use", "invalid IP address".
            UsageError: the port or the address is none.
        """
        udp_port, bind = where_to_listen(port, ip)
        await self.call(":listen", udp_port, "0.0.0.0" if bind is None else bind)
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
            UsageError: the port is beyond 65535, the address holds a NUL, or the data is none or too long to travel.
        """
        values = (as_port(port), as_name(ip, "The address"), as_datagram(data))
        if callback is not None:
            self.on("sent", callback)
        await self.call(":send", *values)
        self._set_in_use(True)

    async def close(self) -> None:
        """Stop receiving; what came before is told no more.

        Raises:
            LuaError: "not connected": it neither listened nor sent.
        """
        try:
            await self.call(":close")
            self._drop_events()
        finally:
            self._set_in_use(False)  # also when it is cancelled: it may have been closed

    async def dns(self, domain: str, callback: Handler | None = None) -> None:
        """Resolve a name; the answer comes as the "dns" event, None after 7.8 s per DNS server that does not know."""
        with self._handling("dns", callback):
            await self.call(":dns", as_name(domain))

    async def getaddr(self) -> tuple[int | None, str | None]:
        """(port, ip) of this end, or (None, None) before it listened or sent."""
        return as_address(await self.call(":getaddr"))

    async def ttl(self, ttl: int | None = None) -> int:
        """Set or read the time to live.

        Args:
            ttl: 0 to 255; None or -1 reads it.

        Raises:
            LuaError: "socket is not open/bound yet".
        """
        wanted = as_integer(ttl, "time to live", -1, 255)
        return int((await self.call(":ttl", *(() if wanted is None else (wanted,))))[0])

    def _convert(self, name: str, values: tuple[Value, ...]) -> tuple[Value, ...]:
        if name == "receive":
            data, port, ip = (*values, None, None)[:3]
            return data, port, as_text(ip)
        return (as_text(values[0]) if values else None,) if name == "dns" else values
