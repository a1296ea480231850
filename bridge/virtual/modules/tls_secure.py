"""What the secure connections of one boot share: the list of the active ones (espconn_secure.c, espconn.h)."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import Protocol

from bridge.virtual.lwip.stack import NetworkStack
from bridge.virtual.mbedtls.client import Config
from bridge.virtual.modules.tls_netconn import NetConn
from bridge.virtual.sdk.kernel import Kernel


class EspState(IntEnum):
    """`enum espconn_state`."""

    NONE = 0
    WAIT = 1
    CONNECT = 3
    WRITE = 4
    READ = 5
    CLOSE = 6


class Espconn(Protocol):
    """The `espconn` of a connection: its state, and the callbacks that tls.c has registered."""

    state: EspState

    @property
    def open(self) -> bool:
        """True while `proto.tcp` is there: without it nobody is told of anything."""

    def on_connect(self) -> None:
        """The handshake is through."""

    def on_disconnect(self) -> None:
        """The connection was closed."""

    def on_reconnect(self, err: int) -> None:
        """The connection failed, with an `sint8`."""

    def on_receive(self, data: bytes) -> None:
        """At most 1460 bytes of plaintext."""

    def on_sent(self) -> None:
        """What was sent has been acknowledged."""


class Active(Protocol):
    """A connection in the list."""

    espconn: Espconn


class Secure:
    """`plink_active`, `sockets`, and `ssl_client_options`.

    Args:
        kernel: the boot.
        configure: makes the settings of a handshake; told how to take heap for what it reads. Raises TlsFault.
    """

    def __init__(self, kernel: Kernel, configure: Callable[[Callable[[int], None]], Config]) -> None:
        self.kernel = kernel
        self.configure = configure
        #: Newest first.
        self.active: list[Active] = []
        self.sockets: list[NetConn] = []

    @property
    def network(self) -> NetworkStack:
        return self.kernel.network
