"""A terminal server on loopback: pyserial's own RFC 2217 server side before an adapter that records its settings."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from serial.rfc2217 import PortManager


class Adapter:
    """What `PortManager` needs of a serial port, with everything it was told, in order."""

    def __init__(self) -> None:
        self.__dict__["told"] = []
        self.__dict__.update(baudrate=9600, bytesize=7, parity="E", stopbits=2, xonxoff=True, rtscts=True)
        self.__dict__.update(dtr=None, rts=None, cts=True, dsr=True, ri=False, cd=False, highest=2_000_000)

    def __setattr__(self, name: str, value: object) -> None:
        if name == "baudrate" and isinstance(value, int) and value > self.highest:
            raise ValueError(f"no {value} here")
        self.told.append((name, value))
        self.__dict__[name] = value

    def reset_input_buffer(self) -> None:
        self.told.append(("purge", "in"))

    def reset_output_buffer(self) -> None:
        self.told.append(("purge", "out"))


class TerminalServer:
    """One client at a time; a second one is hung up on."""

    def __init__(self, *, telnet: bool = True) -> None:
        self.adapter = Adapter()
        self.tcp_port = 0
        self.clients = 0
        self._telnet = telnet
        self._manager: PortManager | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._heard = bytearray()
        self._news = asyncio.Event()
        self._connected = asyncio.Event()

    @property
    def url(self) -> str:
        return f"{'rfc2217' if self._telnet else 'socket'}://127.0.0.1:{self.tcp_port}"

    def write(self, data: bytes) -> None:
        """Called by `PortManager`."""
        assert self._writer is not None
        self._writer.write(data)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._writer is not None:
            writer.close()
            return
        self._writer = writer
        self._connected.set()
        self.clients += 1
        self._manager = PortManager(self.adapter, self) if self._telnet else None
        try:
            while data := await reader.read(65536):
                self._heard += b"".join(self._manager.filter(data)) if self._manager else data
                self._news.set()
        except ConnectionError:
            pass
        finally:
            self._writer = None
            writer.close()

    async def say(self, data: bytes) -> None:
        async with asyncio.timeout(10):
            await self._connected.wait()
        self.write(b"".join(self._manager.escape(data)) if self._manager else data)

    async def hear(self, count: int) -> bytes:
        while len(self._heard) < count:
            self._news.clear()
            await self._news.wait()
        data = bytes(self._heard[:count])
        del self._heard[:count]
        return data

    async def leave(self) -> None:
        assert self._writer is not None
        self._writer.transport.abort()


@asynccontextmanager
async def terminal_server(*, telnet: bool = True) -> AsyncIterator[TerminalServer]:
    made = TerminalServer(telnet=telnet)
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.tcp_port = server.sockets[0].getsockname()[1]
    async with server:
        yield made
        if made._writer is not None:
            made._writer.transport.abort()
