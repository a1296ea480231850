from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from bridge.virtual.mbedtls.client import Config
from bridge.virtual.modules.tls_connection import connect, find
from bridge.virtual.modules.tls_secure import EspState, Secure


def test_without_an_address_or_heap_there_is_no_connection() -> None:
    for up, free in ((False, 40_000), (True, 18_432)):
        network = SimpleNamespace(interface=SimpleNamespace(up=up))
        kernel: Any = SimpleNamespace(network=network, heap=SimpleNamespace(free=lambda free=free: free))
        secure = Secure(kernel, lambda take: Config())
        espconn: Any = SimpleNamespace(state=EspState.NONE)
        connect(secure, espconn, 1, 1)
        assert secure.active == [] and secure.sockets == [] and find(secure, espconn) is None
        assert secure.network is network
