"""The `tls` module (app/modules/tls.c of release 3.0.0). `setDebug` is in development builds only."""

from __future__ import annotations

from typing import Any

from bridge.virtual.lua.api import Args, Module, Value
from bridge.virtual.modules.tls_connection import SecureStack
from bridge.virtual.modules.tls_socket import TlsSocket
from bridge.virtual.sdk.kernel import Kernel


def build(kernel: Kernel) -> Module:
    """The module for one boot."""
    secure = SecureStack(kernel)

    def create_connection(_arguments: Args) -> Value:
        return TlsSocket(kernel, secure)

    def verify(arguments: Args) -> Any:
        return True

    return Module("tls", {"createConnection": create_connection, "cert": Module("cert", {"verify": verify})})
