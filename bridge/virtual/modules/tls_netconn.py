"""The socket under a secure connection: lwIP's raw API with a receive buffer (app/mbedtls/app/lwIPSocket.c).

Together with app/mbedtls/platform/mbedtls_net.c it is what mbedTLS reads from and writes to.
"""

from __future__ import annotations

from typing import Any, Protocol

from bridge.virtual.lwip.address import ANY
from bridge.virtual.lwip.err import Err
from bridge.virtual.lwip.pcb import TCP_MAXRTX, TCP_SYNMAXRTX, State, TcpPcb
from bridge.virtual.lwip.tcp_out import output
from bridge.virtual.mbedtls.fault import Code, TlsFault
from bridge.virtual.mbedtls.footprint import NETCONN, RING
from bridge.virtual.sdk.kernel import Kernel, OutOfHeap

#: app/include/sys/socket.h.
NUM_SOCKETS = 3


class Events(Protocol):
    """Who is told what happens to a socket."""

    def on_tcp(self) -> None:
        """TCP is connected, or bytes have come."""

    def on_end(self) -> None:
        """The peer will send no more."""

    def on_acknowledged(self, length: int) -> None:
        """The peer has acknowledged so many bytes."""

    def on_error(self, err: Err) -> None:
        """The connection is lost."""


class NetConn:
    """A socket with its `lwIP_netconn`.

    Args:
        kernel: the boot.
        sockets: those that are open; this one joins them.
        events: who is told.

    Raises:
        OutOfHeap: or all sockets are in use.
    """

    def __init__(self, kernel: Kernel, sockets: list[NetConn], events: Events) -> None:
        self._kernel = kernel
        self._sockets = sockets
        self._events: Events | None = events
        self._tcp = kernel.network.tcp
        self._taken = [kernel.heap.claim(NETCONN)]
        pcb = self._tcp.allocate() if len(sockets) < NUM_SOCKETS else None
        if pcb is None:
            self._give_back()
            raise OutOfHeap
        self._pcb = pcb
        self._buffer: bytearray | None = None
        self._failed = False
        sockets.append(self)

    def connect(self, ip: int, port: int) -> bool:
        """Send the SYN; False without a route."""
        pcb = self._pcb
        self._tcp.bind(pcb, ANY, 0)
        pcb.recv, pcb.sent, pcb.errf = self._on_received, self._on_sent, self._on_error
        return self._tcp.connect(pcb, ip, port, self._on_connected) is Err.OK

    def close(self) -> None:
        """As `lwip_close`. Where the FIN cannot be queued the socket is lost, with all it holds."""
        self._events = None
        pcb = self._pcb
        if not self._failed:
            recv, pcb.recv = pcb.recv, None
            if self._tcp.close(pcb) is not Err.OK:
                pcb.recv = recv
                return
        pcb.recv = pcb.sent = pcb.errf = None
        self._buffer = None
        self._sockets.remove(self)
        self._give_back()

    def receive(self, length: int) -> bytes:
        """At most so many bytes of what has come; b"" if there is nothing."""
        if self._buffer is None:
            return b""
        data = bytes(self._buffer[:length])
        del self._buffer[:length]
        return data

    def send(self, data: bytes) -> None:
        """Queue bytes and send what may leave (`lwip_send`).

        Raises:
            TlsFault: with lwIP's error.
        """
        if self._buffer is None:
            raise TlsFault(int(Err.MEM))
        # C writes what fits, and says that it wrote it all.
        room = min(len(data), self._pcb.snd_buf, 2 * self._pcb.mss)
        err = self._tcp.write(self._pcb, data[:room])
        if err is not Err.OK:
            raise TlsFault(int(err))
        output(self._tcp, self._pcb)

    def _give_back(self) -> None:
        for taken in self._taken:
            self._kernel.heap.release(taken)
        self._taken.clear()

    # --- from lwIP ---

    def _on_connected(self, _arg: Any, _pcb: TcpPcb, _err: Err) -> Err:
        try:
            for size in RING:
                self._taken.append(self._kernel.heap.claim(size))
        except OutOfHeap:
            return Err.MEM  # connected, and nothing ever comes of it
        self._buffer = bytearray()
        if self._events is not None:
            self._events.on_tcp()
        return Err.OK

    def _on_received(self, _arg: Any, pcb: TcpPcb, data: list[bytes] | None, _err: Err) -> Err:
        if data is None:
            if self._events is not None:
                self._events.on_end()
            return Err.OK
        if self._buffer is None:  # there was no memory for it
            self._tcp.recved(pcb, sum(map(len, data)))
            return Err.MEM
        for piece in data:
            if self._buffer is None:
                # A callback has closed the connection; C goes on with what it has freed, a null pointer by now.
                self._kernel.crash()
            else:
                self._buffer += piece
                self._tcp.recved(pcb, len(piece))
                if self._events is not None:
                    self._events.on_tcp()
        return Err.OK

    def _on_sent(self, _arg: Any, _pcb: TcpPcb, length: int) -> Err:
        if self._events is not None:
            self._events.on_acknowledged(length)
        return Err.OK

    def _on_error(self, _arg: Any, err: Err) -> None:
        self._failed = True
        pcb = self._pcb
        if pcb.state is State.SYN_SENT and pcb.nrtx == TCP_SYNMAXRTX:
            err = Err.CONN
        elif pcb.state is State.ESTABLISHED and pcb.nrtx == TCP_MAXRTX:
            err = Err.TIMEOUT
        if self._events is not None:
            self._events.on_error(err)


class Wire:
    """What mbedTLS reads from and writes to: a socket, or none any more (`mbedtls_net_context`)."""

    def __init__(self) -> None:
        self.socket: NetConn | None = None

    def free(self) -> None:
        """As `mbedtls_net_free`."""
        socket, self.socket = self.socket, None
        if socket is not None:
            socket.close()

    def receive(self, length: int) -> bytes:
        """Raises TlsFault without a socket."""
        return self._socket().receive(length)

    def send(self, data: bytes) -> None:
        """Raises TlsFault without a socket, or when TCP does not take the bytes."""
        self._socket().send(data)

    def _socket(self) -> NetConn:
        if self.socket is None:
            raise TlsFault(Code.NET_INVALID_CONTEXT)
        return self.socket
