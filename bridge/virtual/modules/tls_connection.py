"""One secure connection: Espressif's glue between lwIP, mbedTLS and tls.c (app/mbedtls/app/espconn_mbedtls.c).

Its oversights are here too, as they are what a program meets: an error's code is cut to eight bits, a connection
that is closed inside its receive callback ends as a failed one, and `unhold` follows a null pointer.
"""

from __future__ import annotations

from functools import partial

from bridge.virtual.lwip.err import Err
from bridge.virtual.lwip.pcb import TCP_MSS
from bridge.virtual.mbedtls import footprint
from bridge.virtual.mbedtls.client import Client
from bridge.virtual.mbedtls.fault import Code, TlsFault, event_code, handshake_status
from bridge.virtual.modules.tls_netconn import NetConn, Wire
from bridge.virtual.modules.tls_secure import Espconn, EspState, Secure
from bridge.virtual.sdk.kernel import OutOfHeap

#: `espconn_secure_connect` wants more free heap than SSL_BUFFER_SIZE + ESPCONN_SECURE_DEFAULT_HEAP.
NEEDED_HEAP = 4096 + 0x3800
#: MBEDTLS_SSL_PLAIN_ADD: what is read and written at a time.
PIECE = TCP_MSS
#: `system_update_cpu_freq(160)` during each step of a handshake.
CPU_MHZ = 160


class Connection:
    """`espconn_msg` with its `mbedtls_msg`.

    Args:
        secure: what connections share.
        espconn: whose connection it is.
    """

    def __init__(self, secure: Secure, espconn: Espconn) -> None:
        self.espconn = espconn
        self._secure = secure
        self._kernel = secure.kernel
        self._wire = Wire()
        self._client: Client | None = None
        #: The handshake is through.
        self._quiet = False
        #: `SentFnFlag`: what was sent has been acknowledged.
        self._may_send = False
        self._writing = False
        self._acknowledged = 0
        self._rest = b""
        self._status = 0
        self._error = Err.OK
        self._held = False
        self._taken: list[int] = []

    # --- the chip, for mbedTLS ---

    def take(self, size: int) -> None:
        """Take heap until the handshake is over.

        Raises:
            TlsFault: it does not fit.
        """
        try:
            self._taken.append(self._kernel.heap.claim(size))
        except OutOfHeap:
            raise TlsFault(Code.SSL_ALLOC_FAILED) from None

    def peak(self, size: int) -> None:
        """Take heap for a moment.

        Raises:
            TlsFault: it does not fit.
        """
        self.take(size)
        self._kernel.heap.release(self._taken.pop())

    def compute(self, microseconds: float) -> None:
        """Compute; the watchdog does not look on during a handshake."""
        self._kernel.cpu.charge(microseconds)
        if not self._quiet:
            self._kernel.cpu.feed()

    def _give_back(self) -> None:
        for taken in self._taken:
            self._kernel.heap.release(taken)
        self._taken.clear()

    # --- for tls.socket ---

    def open(self, ip: int, port: int) -> None:
        """As `espconn_ssl_client`: what fails here fails in silence."""
        try:
            for size in (footprint.ESPCONN_MSG, footprint.MBEDTLS_MSG, footprint.MBEDTLS_SESSION):
                self.take(size)
            socket = NetConn(self._kernel, self._secure.sockets, self)
        except (TlsFault, OutOfHeap):
            self._give_back()
            return
        self._wire.socket = socket
        if not socket.connect(ip, port):
            self._wire.free()
            self._give_back()
            return
        self.espconn.state = EspState.WAIT
        self._secure.active.insert(0, self)

    def close(self) -> None:
        """As `espconn_secure_disconnect`: TCP is closed without a word of TLS."""
        if self.espconn.state is EspState.CLOSE:
            return
        self._wire.free()
        self.espconn.state = EspState.CLOSE
        self._post_end()

    def send(self, data: bytes) -> None:
        """As `espconn_secure_sent`: dropped unless what was sent before has been acknowledged."""
        self.espconn.state = EspState.WRITE
        if self._may_send:
            self._may_send = False
            self._send(data[: len(data) & 0xFFFF])

    def hold(self) -> None:
        """As `espconn_recv_hold`: sets a flag at which nothing of TLS looks."""
        self._held = True

    def unhold(self) -> None:
        """As `espconn_recv_unhold`, which takes the connection for one without TLS: it has no pcb to look into."""
        if self._held:
            self._kernel.crash()

    # --- the end ---

    def _post_end(self, *, error: bool = False) -> None:
        self._kernel.event(partial(self._end, error=error))

    def _end(self, *, error: bool) -> None:
        """As `mbedtls_thread`: of several events for one connection the first one counts."""
        if self not in self._secure.active:
            return
        self._secure.active.remove(self)
        self._give_back()
        espconn = self.espconn
        if not espconn.open:
            return
        espconn.state = EspState.CLOSE
        if self._status:
            espconn.on_reconnect(event_code(self._status))
        elif error:
            espconn.on_reconnect(event_code(self._error))
        else:
            espconn.on_disconnect()

    def _fail(self, code: int) -> None:
        """As `mbedtls_fail_info` and the way out of `espconn_mbedtls_parse_internal`."""
        closing = code == Code.SSL_PEER_CLOSE_NOTIFY
        if self._quiet and not closing and self._client is not None:
            self._client.close_notify()
        self._status = 0 if closing else handshake_status(code)
        self.espconn.state = EspState.CLOSE
        self._wire.free()
        self._post_end()

    # --- from TCP ---

    def on_tcp(self) -> None:
        """Connected, or bytes have come (`espconn_mbedtls_parse_internal`)."""
        try:
            if self._quiet:
                self._read()
            else:
                self._handshake()
        except TlsFault as fault:
            self._fail(fault.code)

    def on_end(self) -> None:
        """The peer's FIN is taken for its farewell, also during the handshake."""
        self._fail(Code.SSL_PEER_CLOSE_NOTIFY)

    def on_error(self, err: Err) -> None:
        """TCP lost the connection."""
        self._error = err
        self.espconn.state = EspState.CLOSE
        self._wire.free()
        self._post_end(error=True)

    def on_acknowledged(self, length: int) -> None:
        """As `espconn_mbedtls_parse_thread`: counts until a whole record is acknowledged."""
        if not self._quiet or self._client is None:
            return
        if self._writing:
            self._acknowledged += length
        if self._acknowledged != self._client.record_length:
            return
        self._acknowledged = 0
        self._writing = False
        if self._rest:
            self._send(self._rest)
        else:
            self._may_send = True
            self.espconn.state = EspState.CONNECT
            self.espconn.on_sent()

    # --- TLS ---

    def _handshake(self) -> None:
        cpu = self._kernel.cpu
        mhz, cpu.mhz = cpu.mhz, CPU_MHZ
        try:
            if self._client is None:
                for size in footprint.SSL_SETUP:
                    self.take(size)
                self._client = Client(self._wire, self._secure.configure(self.take), self)
            over = self._client.handshake()
        finally:
            cpu.mhz = mhz
        if over:
            self._give_back()
            for size in (footprint.ESPCONN_MSG, footprint.OPEN_AEAD if self._client.aead else footprint.OPEN_CBC):
                self.take(size)
            self._quiet = self._may_send = True
            self.espconn.state = EspState.CONNECT
            self.espconn.on_connect()

    def _read(self) -> None:
        assert self._client is not None
        try:
            buffer = self._kernel.heap.claim(footprint.PLAIN_BUFFER)
        except OutOfHeap:
            raise TlsFault(int(Err.MEM)) from None
        try:
            self._read_all(self._client)
        finally:
            self._kernel.heap.release(buffer)

    def _read_all(self, client: Client) -> None:
        while True:
            try:
                data = client.read(PIECE)
            except TlsFault as fault:
                if fault.code != Code.SSL_PEER_CLOSE_NOTIFY:
                    raise
                client.close_notify()
                continue
            if data is None:
                return
            self.espconn.state = EspState.READ
            self.espconn.on_receive(data)
            # Whatever the callback did: the connection that it closed counts as open again, and reading goes on.
            self.espconn.state = EspState.CONNECT

    def _send(self, data: bytes) -> None:
        """As `espconn_ssl_sent`: one record now, the rest when it has been acknowledged."""
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


def find(secure: Secure, espconn: Espconn) -> Connection | None:
    """The connection of an espconn (`espconn_find_connection`)."""
    for each in secure.active:
        if each.espconn is espconn and isinstance(each, Connection):
            return each
    return None


def connect(secure: Secure, espconn: Espconn, ip: int, port: int) -> None:
    """As `espconn_secure_connect`: where it refuses, tls.c does not look, and nothing ever happens."""
    if secure.network.interface.up and secure.kernel.heap.free() > NEEDED_HEAP:
        Connection(secure, espconn).open(ip, port)
