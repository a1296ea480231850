"""`tls` without `await`: each class is the asyncio one of the same name."""

from __future__ import annotations

from typing import Any, cast

from bridge.mirror import tls as _tls
from bridge.mirror import tls_cert as _cert
from bridge.mirror.arguments import Data
from bridge.mirror.handle import Handler
from bridge.mirror.tls_cert import Source, Text
from bridge.portal import portal
from bridge.sync.face import KINDS, Remote, face, to_handler


class TLSSocket(Remote):
    """`tls.socket`; see `bridge.mirror.tls.TLSSocket`."""

    @property
    def _socket(self) -> _tls.TLSSocket:
        return cast(_tls.TLSSocket, self.remote)

    def connect(self, port: int, host: str = "127.0.0.1") -> None:
        """Start to connect."""
        portal().call(self._socket.connect(port, host))

    def send(self, data: Data, callback: Handler | None = None) -> None:
        """Send; returns when the module has taken all of it."""
        portal().call(self._socket.send(data, to_handler(callback)))

    def close(self) -> None:
        """Close; "disconnection" follows when the connection stood."""
        portal().call(self._socket.close())

    def hold(self) -> None:
        """Stop receiving."""
        portal().call(self._socket.hold())

    def unhold(self) -> None:
        """Go on receiving."""
        portal().call(self._socket.unhold())

    def getpeer(self) -> tuple[str | None, int | None]:
        """(ip, port) of the peer, in this order."""
        return portal().call(self._socket.getpeer())


class Cert:
    """`tls.cert`; see `bridge.mirror.tls_cert.Cert`."""

    def __init__(self, cert: _cert.Cert) -> None:
        self._cert = cert

    def verify(self, *values: bool | Text | Source | None) -> bool:
        """Say whether, and against whose certificate, peers are checked; a function is called on this thread."""
        return portal().call(self._cert.verify(*_answered(values, 1)))

    def auth(self, *values: bool | Text | Source | None) -> bool:
        """Say whether the board shows a certificate of its own, and which; a function is called on this thread."""
        return portal().call(self._cert.auth(*_answered(values, 0)))


def _answered(values: tuple[Any, ...], first: int) -> tuple[Any, ...]:
    """With a function that only tells what the user's one has answered, instead of that one."""
    if len(values) != 1 or not callable(values[0]):
        return values
    answers: dict[int, Any] = {}
    for number in range(first, _cert.MOST_CERTIFICATES + 1):
        answers[number] = values[0](number)
        if number and answers[number] in (None, False):
            break
    return (answers.get,)


class TLS:
    """`tls`; see `bridge.mirror.tls.TLS`."""

    def __init__(self, tls: _tls.TLS) -> None:
        self._tls = tls
        self.cert = Cert(tls.cert)

    def createConnection(self) -> TLSSocket:
        """Make a TLS client."""
        return face(portal().call(self._tls.createConnection()), TLSSocket)

    def setDebug(self, level: int) -> None:
        """Let mbedTLS say on the console what it does."""
        portal().call(self._tls.setDebug(level))


KINDS[_tls.TLSSocket] = TLSSocket
