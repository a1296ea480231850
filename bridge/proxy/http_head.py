"""What a client of an HTTP proxy asks for: CONNECT, or a request with a whole URI. No input, no output.

RFC 9110 and 9112. What goes on to the server is the client's request without what concerns the proxy alone, and with
`Connection: close`: one connection of the client carries one request.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import urlsplit

#: Bytes of a request's head at most.
MOST_HEAD = 16_384
#: What ends a head.
END = b"\r\n\r\n"
_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([!-~]+) HTTP/1\.([01])")
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):([^\0\r\n]*)")
_AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\s/?#@:\[\]]{1,255}):([0-9]{1,5})")
#: Of the connection with the proxy, not of the request (RFC 9110, 7.6.1).
_HOP_BY_HOP = {
    b"connection", b"proxy-connection", b"proxy-authorization", b"proxy-authenticate", b"keep-alive", b"te", b"trailer",
    b"upgrade", b"host",
}  # fmt: skip


class HttpRefused(Exception):
    """The request is none that the proxy takes.

    Args:
        status: what the client is told.
        why: one sentence.
    """

    def __init__(self, status: HTTPStatus, why: str) -> None:
        super().__init__(why)
        self.status, self.why = status, why


@dataclass(frozen=True)
class HttpRequest:
    """What a client asks for."""

    tunnel: bool
    """CONNECT: what follows are bytes of any kind, both ways."""
    host: str
    """Address or name."""
    tcp_port: int
    """1 to 65535."""
    head: bytes = field(repr=False)
    """What goes to the server first."""
    body: int
    """Bytes that follow the head and belong to it."""
    login: tuple[bytes, bytes] | None = field(repr=False)
    """User and password, if it brings them."""


def read_head(head: bytes) -> HttpRequest:
    """Read a request's head.

    Args:
        head: up to and with the empty line.

    Raises:
        HttpRefused: it is damaged, or asks for what this proxy does not do.
    """
    first, *lines = head.removesuffix(END).split(b"\r\n")
    line = _LINE.fullmatch(first)
    if line is None:
        raise HttpRefused(HTTPStatus.BAD_REQUEST, "The request's first line is none of HTTP/1.1.")
    method, target = line[1], line[2].decode("ascii")
    fields = [_field(each) for each in lines]
    login = _login(fields)
    if method == b"CONNECT":
        return HttpRequest(True, *_authority(target), b"", 0, login)
    host, tcp_port, path, authority = _uri(target)
    body = _body(fields)
    named = {name.strip().lower() for key, value in fields if key == b"connection" for name in value.split(b",")}
    kept = [
        original + b": " + value
        for (key, value), original in zip(fields, (each.partition(b":")[0] for each in lines), strict=True)
        if key not in _HOP_BY_HOP and key not in named - {b"content-length"}
    ]
    start = method + b" " + path.encode("ascii") + b" HTTP/1." + line[3]
    rest = [start, b"Host: " + authority.encode("ascii"), *kept, b"Connection: close"]
    return HttpRequest(False, host, tcp_port, b"\r\n".join(rest) + END, body, login)


def answer(status: HTTPStatus, why: str) -> bytes:
    """What a client is told that gets no connection.

    Args:
        status: of the response.
        why: a sentence, its body.
    """
    body = why.encode() + b"\n"
    lines = [
        f"HTTP/1.1 {status.value} {status.phrase}",
        "Content-Type: text/plain; charset=utf-8",
        f"Content-Length: {len(body)}",
        "Connection: close",
    ]
    if status is HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        lines.append('Proxy-Authenticate: Basic realm="nodemcu-bridge", charset="UTF-8"')
    return "\r\n".join(lines).encode() + END + body


def _field(line: bytes) -> tuple[bytes, bytes]:
    found = _FIELD.fullmatch(line)
    if found is None:  # also a line that is continued, which RFC 9112 has abolished
        raise HttpRefused(HTTPStatus.BAD_REQUEST, "A field of the request's head is damaged.")
    return found[1].lower(), found[2].strip(b" \t")


def _login(fields: list[tuple[bytes, bytes]]) -> tuple[bytes, bytes] | None:
    for key, value in fields:
        scheme, _, coded = value.partition(b" ")
        if key == b"proxy-authorization" and scheme.lower() == b"basic":
            try:
                user, colon, password = base64.b64decode(coded.strip(), validate=True).partition(b":")
            except binascii.Error:
                continue
            if colon:
                return user, password
    return None


def _authority(text: str, default: int | None = None) -> tuple[str, int]:
    if default is not None and ":" not in text.rpartition("]")[2].removesuffix(":"):
        text = f"{text.removesuffix(':')}:{default}"
    found = _AUTHORITY.fullmatch(text)
    if found is None or not 0 < int(found[2]) < 65_536:
        raise HttpRefused(HTTPStatus.BAD_REQUEST, "The request names no host and port.")
    return found[1].strip("[]"), int(found[2])


def _uri(target: str) -> tuple[str, int, str, str]:
    """Host, port, path and authority of an absolute URI."""
    try:
        parts = urlsplit(target)
    except ValueError as error:
        raise HttpRefused(HTTPStatus.BAD_REQUEST, "The request's URI is damaged.") from error
    if not parts.scheme or not parts.netloc:
        raise HttpRefused(HTTPStatus.BAD_REQUEST, "This is a proxy: a request names its server by a whole URI.")
    if parts.scheme.lower() != "http":
        what = f"This proxy fetches by http alone, not by {parts.scheme[:20]}: use CONNECT."
        raise HttpRefused(HTTPStatus.NOT_IMPLEMENTED, what)
    authority = parts.netloc.rpartition("@")[2]
    host, tcp_port = _authority(authority, 80)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return host, tcp_port, path, authority


def _body(fields: list[tuple[bytes, bytes]]) -> int:
    if any(key == b"transfer-encoding" for key, _ in fields):
        what = "This proxy passes on bodies whose length is told: send Content-Length, or use CONNECT."
        raise HttpRefused(HTTPStatus.LENGTH_REQUIRED, what)
    lengths = {value for key, value in fields if key == b"content-length"}
    if not lengths:
        return 0
    length = lengths.pop()
    if lengths or not re.fullmatch(rb"[0-9]{1,18}", length):
        raise HttpRefused(HTTPStatus.BAD_REQUEST, "The request's Content-Length is none.")
    return int(length)
