"""The `tls` module (app/modules/tls.c of release 3.0.0). `setDebug` is in development builds only."""

from __future__ import annotations

from bridge.virtual.lua.api import Args, Module, Value
from bridge.virtual.modules.tls_cert import Certificates, build_cert
from bridge.virtual.modules.tls_secure import Secure
from bridge.virtual.modules.tls_socket import TlsSocket
from bridge.virtual.sdk.kernel import Kernel


def build(kernel: Kernel) -> Module:
    """The module for one boot."""
    certificates = Certificates(kernel)
    secure = Secure(kernel, certificates.configure)

    def create_connection(_arguments: Args) -> Value:
        return TlsSocket(kernel, secure)

    return Module("tls", {"createConnection": create_connection, "cert": build_cert(certificates)})
