"""What a client is told when the board makes no connection for it."""

from __future__ import annotations

import ipaddress
from http import HTTPStatus

from bridge.errors import BridgeError, ConnectRefused, DNSFailed, NetTimeout
from bridge.proxy.socks5 import Reply

#: lwIP's code of a host that answered none of the attempts.
_SILENT = -8


def reply_for(error: BaseException) -> Reply:
    """The reply of SOCKS for an error.

    A name that nobody knows and a host that does not answer are "host unreachable", a time that is over (for a slot,
    for the connection as a whole) is "TTL expired"; what happened to the board itself is "general failure".
    """
    match error:
        case ConnectRefused():
            return Reply.REFUSED
        case DNSFailed():
            return Reply.HOST_UNREACHABLE
        case NetTimeout(code=code) if code == _SILENT:
            return Reply.HOST_UNREACHABLE
        case TimeoutError():
            return Reply.TIMED_OUT
        case _:
            return Reply.FAILED


def status_for(error: BaseException) -> HTTPStatus:
    """The status of HTTP for an error: 504 if a time was over, else 502."""
    return HTTPStatus.GATEWAY_TIMEOUT if isinstance(error, TimeoutError) else HTTPStatus.BAD_GATEWAY


def sentence(error: BaseException) -> str:
    """What happened, as a clause, without the board's port, which is nobody's affair at the other end."""
    return error.message.rstrip(".") if isinstance(error, BridgeError) else "the board made no connection"


def is_ipv6(host: str) -> bool:
    """True if a host is an address of IPv6, which the board's stack does not speak."""
    try:
        return ipaddress.ip_address(host).version == 6
    except ValueError:
        return False
