"""Espressif's glue between lwIP and mbedTLS: one secure connection.

Follows app/mbedtls/app/espconn_mbedtls.c, espconn_secure.c, lwIPSocket.c and app/mbedtls/platform/mbedtls_net.c,
oversights included.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from functools import partial
from typing import Any, Protocol

from bridge.virtual.lwip.address import ANY
from bridge.virtual.lwip.err import Err
from bridge.virtual.lwip.pcb import TCP_MAXRTX as _MAXRTX
from bridge.virtual.lwip.pcb import TCP_MSS, TCP_SYNMAXRTX, State, TcpPcb
from bridge.virtual.lwip.stack import NetworkStack
from bridge.virtual.lwip.tcp_out import output
from bridge.virtual.mbedtls.client import Client, Config
from bridge.virtual.mbedtls.fault import Code, TlsFault, event_code, handshake_status
from bridge.virtual.sdk.kernel import Kernel, OutOfHeap

#: NUM_SOCKETS of app/include/sys/socket.h.
NUM_SOCKETS = 3
#: `espconn_secure_connect` wants more free heap than SSL_BUFFER_SIZE + ESPCONN_SECURE_DEFAULT_HEAP.
NEEDED_HEAP = 4096 + 0x3800
#: MBEDTLS_SSL_PLAIN_ADD: what is read and written at a time.
PIECE = TCP_MSS
CPU_MHZ = 160


class EspState(IntEnum):
    """`enum espconn_state`."""

    NONE = 0
    WAIT = 1
    CONNECT = 3
    WRITE = 4
    READ = 5
    CLOSE = 6


class Owner(Protocol):
    """The `espconn` that a connection belongs to: state, peer, and the callbacks that tls.c has registered."""

    state: EspState

    @property
    def open(self) -> bool: ...

    def on_connect(self) -> None: ...
    def on_disconnect(self) -> None: ...
    def on_reconnect(self, err: int) -> None: ...
    def on_receive(self, data: bytes) -> None: ...
    def on_sent(self) -> None: ...


@dataclass(eq=False)
class NetConn:
    """`lwIP_netconn`: a TCP connection with a buffer for what has arrived."""

    pcb: TcpPcb
    established: bool = False
    failed: bool = False
    buffer: bytearray | None = None
    taken: list[int] = field(default_factory=list)


class SecureStack:
    """What all secure connections of one boot share: the active ones, and their sockets."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        #: `plink_active`, newest first.
        self.active: list[Connection] = []
        self.sockets: list[NetConn] = []
        #: Makes the settings of a new handshake; raises TlsFault when they cannot be had.
        self.configure: Callable[[], Config] = Config

    @property
    def network(self) -> NetworkStack:
        return self.kernel.network

    def find(self, owner: Owner) -> Connection | None:
        """The active connection of an espconn (`espconn_find_connection`)."""
        return next((each for each in self.active if each.owner is owner), None)

    def connect(self, owner: Owner, ip: int, port: int) -> None:
        """As `espconn_secure_connect`: where it refuses, nothing ever happens."""
        if not self.network.interface.up or self.kernel.heap.free() <= NEEDED_HEAP:
            return
        connection = Connection(self, owner)
        try:
            connection.open(ip, port)
        except OutOfHeap:
            connection.free()

    def disconnect(self, owner: Owner) -> None:
        """As `espconn_secure_disconnect`."""
        connection = self.find(owner)
        if connection is not None and owner.state is not EspState.CLOSE:
            connection.disconnect()

    def send(self, owner: Owner, data: bytes) -> None:
        """As `espconn_secure_sent`: silently drops what comes before the last one was acknowledged."""
        owner.state = EspState.WRITE
        connection = self.find(owner)
        if connection is not None and connection.may_send:
            connection.may_send = False
            connection.send(data[: len(data) & 0xFFFF])


class _Wire:
    """A connection's socket as mbedTLS sees it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def receive(self, length: int) -> bytes:
        return self._connection.receive(length)

    def send(self, data: bytes) -> None:
        self._connection.send_record(data)


class Connection:
    """`espconn_msg` with its `mbedtls_msg`.

    Args:
        stack: what connections share.
        owner: the espconn.
    """

    def __init__(self, stack: SecureStack, owner: Owner) -> None:
        self.stack = stack
        self.owner = owner
        self._kernel = stack.kernel
        self._client: Client | None = None
        #: `fd`: None for -1.
        self._socket: NetConn | None = None
        #: `quiet`: the handshake is through.
        self._quiet = False
        #: `SentFnFlag`.
        self.may_send = False
        self._writing = False
        self._acked = 0
        self._rest = b""
        self._status = 0
        self._error = 0
        self._taken: list[int] = []

    # --- life ---

    def open(self, ip: int, port: int) -> None:
        """As `espconn_ssl_client`.

        Raises:
            OutOfHeap: nothing is kept then but what this object holds.
        """
        tcp = self.stack.network.tcp
        if len(self.stack.sockets) >= NUM_SOCKETS:
            self.free()
            return
        pcb = tcp.allocate()
        if pcb is None:
            raise OutOfHeap
        socket = NetConn(pcb)
        self.stack.sockets.append(socket)
        self._socket = socket
        tcp.bind(pcb, ANY, 0)
        pcb.callback_arg = socket
        pcb.recv, pcb.sent, pcb.errf = self._received, self._acknowledged, self._failed
        if tcp.connect(pcb, ip, port, self._connected) is not Err.OK:
            self._close_socket()
            self.free()
            return
        self.owner.state = EspState.WAIT
        self.stack.active.insert(0, self)

    def free(self) -> None:
        """Give back what mbedTLS has taken (`mbedtls_msg_free`)."""
        for taken in self._taken:
            self._kernel.heap.release(taken)
        self._taken.clear()

    def _take(self, size: int) -> None:
        self._taken.append(self._kernel.heap.claim(size))

    def disconnect(self) -> None:
        """As `espconn_ssl_disconnect`: TCP is closed without a word of TLS."""
        self._close_socket()
        self.owner.state = EspState.CLOSE
        self._post_end()

    def _post_end(self, *, error: bool = False) -> None:
        self._kernel.event(partial(self._ended, error=error))

    def _ended(self, *, error: bool) -> None:
        """As `mbedtls_thread`; a second event for the same connection finds nothing."""
        if self not in self.stack.active:
            return
        self.stack.active.remove(self)
        self.free()
        if not self.owner.open:
            return
        self.owner.state = EspState.CLOSE
        if self._status:
            self.owner.on_reconnect(event_code(self._status))
        elif error:
            self.owner.on_reconnect(event_code(self._error))
        else:
            self.owner.on_disconnect()

    def _fail(self, code: int) -> None:
        """As the exit of `espconn_mbedtls_parse_internal`: the status for the event, TCP closed, the event posted."""
        if self._quiet and code != Code.SSL_PEER_CLOSE_NOTIFY and self._client is not None:
            self._client.close_notify()
        self._status = 0 if code == Code.SSL_PEER_CLOSE_NOTIFY else handshake_status(code)
        self.owner.state = EspState.CLOSE
        self._close_socket()
        self._post_end()

    # --- the socket ---

    def _close_socket(self) -> None:
        """As `mbedtls_net_free`, `lwip_close`."""
        socket, self._socket = self._socket, None
        if socket is None:
            return
        pcb = socket.pcb
        if not socket.failed:
            pcb.recv = None
            if self.stack.network.tcp.close(pcb) is not Err.OK:
                # Never tried again: socket and memory are lost.
                pcb.recv = self._received
                return
        pcb.callback_arg = pcb.recv = pcb.sent = pcb.errf = None
        for taken in socket.taken:
            self._kernel.heap.release(taken)
        socket.buffer = None
        self.stack.sockets.remove(socket)

    def receive(self, length: int) -> bytes:
        """mbedTLS wants bytes (`mbedtls_net_recv`)."""
        socket = self._socket
        if socket is None or socket.buffer is None:
            raise TlsFault(Code.NET_INVALID_CONTEXT)
        data = bytes(socket.buffer[:length])
        del socket.buffer[:length]
        return data

    def send_record(self, data: bytes) -> None:
        """mbedTLS sends a record (`mbedtls_net_send`): it leaves at once, or fails."""
        socket = self._socket
        if socket is None:
            raise TlsFault(Code.NET_INVALID_CONTEXT)
        tcp = self.stack.network.tcp
        # C writes what fits and says that it wrote it all.
        err = tcp.write(socket.pcb, data[: min(len(data), socket.pcb.snd_buf, 2 * socket.pcb.mss)])
        if err is not Err.OK:
            raise TlsFault(int(err))
        output(tcp, socket.pcb)

    # --- events of TCP ---

    def _connected(self, socket: Any, _pcb: TcpPcb, _err: Err) -> Err:
        socket.established = True
        socket.buffer = bytearray()
        self._parse()
        return Err.OK

    def _received(self, socket: Any, pcb: TcpPcb, data: list[bytes] | None, _err: Err) -> Err:
        if data is None:
            if self._socket is socket:
                self._fail(Code.SSL_PEER_CLOSE_NOTIFY)
            return Err.OK
        for piece in data:
            if socket.buffer is None:
                # A callback has closed the connection; C goes on with the memory it has freed.
                self._kernel.crash()
            socket.buffer += piece
            self.stack.network.tcp.recved(pcb, len(piece))
            if self._socket is socket:
                self._parse()
        return Err.OK

    def _acknowledged(self, socket: Any, _pcb: TcpPcb, length: int) -> Err:
        """As `espconn_mbedtls_parse_thread`."""
        if self._socket is not socket or not self._quiet or self._client is None:
            return Err.OK
        if self._writing:
            self._acked += length
        if self._acked == self._client.record_length:
            self._acked = 0
            self._writing = False
            if self._rest:
                self.send(self._rest)
            else:
                self.may_send = True
                self.owner.state = EspState.CONNECT
                self.owner.on_sent()
        return Err.OK

    def _failed(self, socket: Any, err: Err) -> None:
        """As `err_tcp`."""
        socket.failed = True
        pcb = socket.pcb
        if pcb.state is State.SYN_SENT and pcb.nrtx == TCP_SYNMAXRTX:
            err = Err.CONN
        elif pcb.state is State.ESTABLISHED and pcb.nrtx == _MAXRTX:
            err = Err.TIMEOUT
        if self._socket is not socket:
            return
        self._error = int(err)
        self.owner.state = EspState.CLOSE
        self._close_socket()
        self._post_end(error=True)

    # --- TLS ---

    def _parse(self) -> None:
        """As `espconn_mbedtls_parse_internal` without an error."""
        try:
            if self._quiet:
                self._read()
            else:
                self._handshake()
        except TlsFault as fault:
            self._fail(fault.code)

    def _handshake(self) -> None:
        if self._client is None:
            self._client = Client(_Wire(self), self.stack.configure())
        through = self._client.handshake()
        if through:
            self._quiet = True
            self.may_send = True
            self.owner.state = EspState.CONNECT
            self.owner.on_connect()

    def _read(self) -> None:
        assert self._client is not None
        while True:
            try:
                data = self._client.read(PIECE)
            except TlsFault as fault:
                if fault.code != Code.SSL_PEER_CLOSE_NOTIFY:
                    raise
                self._client.close_notify()
                continue
            if data is None:
                return
            self.owner.state = EspState.READ
            self.owner.on_receive(data)
            # Whatever the callback did: after it closed the connection this is wrong.
            self.owner.state = EspState.CONNECT

    def send(self, data: bytes) -> None:
        """As `espconn_ssl_sent`: at most 1460 bytes now, the rest when they are acknowledged."""
        assert self._client is not None
        piece = data[:PIECE]
        self._writing = True
        try:
            self._client.write(piece)
        except TlsFault as fault:
            self._fail(fault.code)
            return
        if piece:
            self._rest = data[len(piece) :]
