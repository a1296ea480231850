"""The `tls` module (app/modules/tls.c of release 3.0.0). `setDebug` is in development builds only."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from bridge.virtual.lua.api import Args, Module, Value
from bridge.virtual.sdk.kernel import Kernel

if TYPE_CHECKING:
    from bridge.virtual.modules.tls_cert import Certificates
    from bridge.virtual.modules.tls_secure import Secure


def build(kernel: Kernel) -> Module:
    """The module for one boot."""

    @functools.cache
    def boot() -> tuple[Certificates, Secure]:
        # Imported at the first call: it takes 0.2 s, which most programs need not pay.
        from bridge.virtual.modules.tls_cert import Certificates
        from bridge.virtual.modules.tls_secure import Secure

        certificates = Certificates(kernel)
        return certificates, Secure(kernel, certificates.configure)

    def create_connection(_arguments: Args) -> Value:
        from bridge.virtual.modules.tls_socket import TlsSocket

        return TlsSocket(kernel, boot()[1])

    def verify(arguments: Args) -> Any:
        return boot()[0].verify(arguments)

    def auth(arguments: Args) -> Any:
        return boot()[0].auth(arguments)

    return Module(
        "tls", {"createConnection": create_connection, "cert": Module("cert", {"verify": verify, "auth": auth})}
    )
