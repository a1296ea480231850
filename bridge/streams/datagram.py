"""A UDP port of the board as an `asyncio.DatagramTransport`.

What the stack does not do: it tells nobody that no one listens at the other end (ICMP), sends no empty datagrams, and
neither cuts nor joins what does not fit one frame of Wi-Fi.
"""

from __future__ import annotations

import asyncio
import copy
import errno
import os
from collections import deque
from collections.abc import Coroutine
from typing import Any

from bridge.errors import ArgumentRefused, BoardOutOfMemory, BridgeError, ConnectionAborted, LuaError
from bridge.mirror.net import Net
from bridge.mirror.udp import UDPSocket
from bridge.streams.flow import WriteFlow
from bridge.streams.reasons import standard
from bridge.streams.resolving import is_address, port_number, resolve

#: Bytes that fit one frame: 1500 less the headers of IP and UDP.
LARGEST = 1_472
#: Calls of `send` under way at once: the next datagram crosses the line while the stack takes one.
IN_FLIGHT = 2

Address = tuple[str, int]
#: What the stack says (app/modules/net.c) → the system's number for it; all else is an I/O error.
_NUMBERS = {
    "routing problem": errno.ENETUNREACH,
    "cannot allocate": errno.ENOBUFS,
    "out of memory": errno.ENOBUFS,
    "need port": errno.EINVAL,
    "invalid IP address": errno.EINVAL,
}


class BoardDatagramTransport(WriteFlow, asyncio.DatagramTransport):
    """A UDP port of the board; made by `Streams.create_datagram_endpoint`.

    Args:
        socket: listens already; its handlers are this transport's from here on.
        net: of the board, which resolves names.
        remote: the one peer, if there is to be one only: from others nothing is received.
        extra: for `get_extra_info`.
    """

    def __init__(self, socket: UDPSocket, net: Net, remote: Address | None, extra: dict[str, Any]) -> None:
        super().__init__(extra, socket.table.loop)
        self._socket, self._net, self._remote = socket, net, remote
        self._waiting: deque[tuple[bytes, Address]] = deque()
        self._pumping: asyncio.Task[None] | None = None
        #: Datagrams whose receiver is a name that is being asked for.
        self._resolving: set[asyncio.Task[None]] = set()
        self._closing = self._over = False

    def __repr__(self) -> str:
        state = "closed" if self._over else "closing" if self._closing else "open"
        return f"<BoardDatagramTransport {self._extra.get('sockname')} {state}>"  # type: ignore[attr-defined]

    def begin(self, protocol: asyncio.BaseProtocol) -> None:
        """Make the connection of a protocol, and give it what comes."""
        self._protocol = protocol
        try:
            protocol.connection_made(self)
        except Exception as error:  # the port is open all the same, as in asyncio
            self._tell_loop(error, "protocol.connection_made() failed")
        self._socket.on("receive", self._received)
        self._socket.when_gone(self._gone)

    # asyncio.BaseTransport

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        """Close when everything has left that was sent; nothing is received any more."""
        if not self._closing:
            self._closing = True
            self._close_if_done()

    # asyncio.DatagramTransport

    def abort(self) -> None:
        """Close at once; what has not left is lost."""
        self._lost(None)

    def sendto(self, data: Any, addr: Any = None) -> None:
        """Send a datagram. Nobody is told whether it arrives.

        Args:
            data: bytes-like, up to `LARGEST` bytes; of more `error_received` is told (EMSGSIZE). No bytes are no
                datagram.
            addr: (host, port), or None if there is one peer only. A name is asked for each time, while what goes to
                addresses leaves.

        Raises:
            TypeError: the data is none.
            ValueError: there is one peer only, and this is another; or there is none, and none is given.
        """
        if not isinstance(data, bytes | bytearray | memoryview):
            raise TypeError(f"data argument must be a bytes-like object, not {type(data).__name__!r}")
        if not data:
            return
        target = self._target(addr)
        if self._closing:
            return
        if len(data) > LARGEST:
            self._tell_protocol(OSError(errno.EMSGSIZE, os.strerror(errno.EMSGSIZE)))
            return
        kept = bytes(data)
        if is_address(target[0]):
            self._waiting.append((kept, target))
            self._send()
        else:
            task = self._loop.create_task(self._send_to_name(kept, target))
            self._resolving.add(task)
            task.add_done_callback(self._resolving.discard)
        self._wrote(len(kept))

    # What goes out.

    def _target(self, address: Any) -> Address:
        if self._remote is not None:
            if address not in (None, self._remote):
                raise ValueError(f"Invalid address: must be None or {self._remote}")
            return self._remote
        if not isinstance(address, tuple | list) or len(address) != 2 or not isinstance(address[0], str):
            raise ArgumentRefused(f"{address!r} is no receiver", remedy='Write it as ("10.0.0.1", 53).')
        return address[0], port_number(address[1], "udp")

    def _send(self) -> None:
        if self._pumping is None:
            self._pumping = self._loop.create_task(self._pump())

    async def _send_to_name(self, data: bytes, target: Address) -> None:
        try:
            ip = await resolve(self._net, target[0], self._socket.table.caller.url)
        except (BridgeError, OSError) as error:
            self._tell_protocol(error if isinstance(error, OSError) else standard(error, target[0]))
            self._left(len(data))
        else:
            self._waiting.append((data, (ip, target[1])))
            self._send()
        finally:
            self._resolving.discard(asyncio.current_task())
            self._close_if_done()

    async def _pump(self) -> None:
        flying: deque[tuple[int, asyncio.Task[None]]] = deque()
        try:
            while self._waiting or flying:
                while self._waiting and len(flying) < IN_FLIGHT:
                    data, (ip, port) = self._waiting.popleft()
                    flying.append((len(data), self._loop.create_task(self._give(self._socket.send(port, ip, data)))))
                size, task = flying[0]
                await task
                flying.popleft()
                self._left(size)
        finally:
            self._pumping = None
            for _, task in flying:
                task.cancel()
            await asyncio.gather(*(task for _, task in flying), return_exceptions=True)
        self._close_if_done()

    async def _give(self, sending: Coroutine[Any, Any, None]) -> None:
        try:
            await sending
        except (LuaError, BoardOutOfMemory) as error:  # of this datagram; the port stays open
            known = [number for text, number in _NUMBERS.items() if text in error.message]
            number = errno.ENOBUFS if isinstance(error, BoardOutOfMemory) else (*known, errno.EIO)[0]
            told = OSError(number, f"The board did not send a datagram: {error.message}")
            told.__cause__ = error
            self._tell_protocol(told)
        except BridgeError as error:
            self._lost(standard(error, "its peers", make=ConnectionAborted))

    # What comes in.

    def _received(self, socket: UDPSocket, data: bytes, port: int, ip: str) -> None:
        if self._closing or self._remote not in (None, (ip, port)):
            return
        try:
            self._protocol.datagram_received(data, (ip, port))  # type: ignore[attr-defined]
        except Exception as error:
            self._tell_loop(error, "protocol.datagram_received() failed")

    def _tell_protocol(self, error: OSError) -> None:
        if self._over:
            return
        try:
            self._protocol.error_received(error)  # type: ignore[attr-defined]
        except Exception as raised:
            self._tell_loop(raised, "protocol.error_received() failed")

    # The end.

    def _close_if_done(self) -> None:
        if self._closing and not self._waiting and not self._resolving and self._pumping is None:
            self._lost(None)

    def _gone(self, reason: BridgeError | None) -> None:
        self._lost(None if reason is None else standard(copy.copy(reason), "its peers"))

    def _lost(self, error: Exception | None) -> None:
        if self._over:
            return
        self._over = self._closing = True
        self._waiting.clear()
        current = asyncio.current_task(self._loop)
        for task in (self._pumping, *self._resolving):
            if task is not None and task is not current:
                task.cancel()
        self._unsent = 0
        self._loop.call_soon(self._tell_lost, error)
        self._leaving = self._loop.create_task(self._socket.release())

    def _tell_lost(self, error: Exception | None) -> None:
        self._protocol.connection_lost(error)
