"""Names of hosts, which the board's DNS servers are asked for."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
import weakref
from typing import Any, Literal

from bridge.errors import ArgumentRefused, DNSFailed, LuaError, UsageError
from bridge.mirror.net import Net

#: Seconds until a question that found no slot is asked again, and how often it is.
_RETRY_AFTER, _TRIES = 1.0, 20

#: Seconds that a question has for itself. What is not answered then is as a rule a name that nobody knows, for which
#: the stack goes on asking, 7.8 s for each server: others no longer wait for it. (It asks again after 1 and 2 s; a slow
#: server's answer that is lost because of another question is asked for once more after 4 s.)
PATIENCE = 2.5
#: So many may have had that time and still be asked for: the stack has room for four.
SLOW = 2


class _Turns:
    """One question at a time: the stack takes only the answer to the last one it sent (app/lwip/core/dns.c draws a
    number for each and compares answers with the last), and asks again all in one tick, so that of two the first would
    be lost as long as the second is not answered."""

    def __init__(self) -> None:
        self._alone, self._slow = asyncio.Lock(), asyncio.Semaphore(SLOW)

    async def ask(self, net: Net, name: str) -> str | None:
        """As `net.dns.resolve`, in turn."""
        async with contextlib.AsyncExitStack() as stack:
            async with self._alone:
                asking = asyncio.ensure_future(net.dns.resolve(name))
                stack.push_async_callback(_ended, asking)
                if not (await asyncio.wait([asking], timeout=PATIENCE))[0]:
                    place = asyncio.ensure_future(stack.enter_async_context(self._slow))
                    stack.push_async_callback(_ended, place)
                    await asyncio.wait([asking, place], return_when=asyncio.FIRST_COMPLETED)
            return await asking


async def _ended(task: asyncio.Future[Any]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


_turns: weakref.WeakKeyDictionary[Net, _Turns] = weakref.WeakKeyDictionary()


def is_address(host: str) -> bool:
    """True for an IPv4 address, which nobody need be asked for."""
    try:
        return isinstance(host, str) and ipaddress.ip_address(host).version == 4
    except ValueError:
        return False


async def resolve(net: Net, host: str, port: str) -> str:
    """The IPv4 address of a host, asked by the board unless it is one.

    Args:
        net: of the board.
        host: name or address; a name in other letters than ASCII is asked for as IDNA has it.
        port: of the board, for messages.

    Raises:
        DNSFailed: nobody knows the name, it can be none, or it is an address of IPv6, which the stack does not speak.
        ArgumentRefused: it is no text, or empty.
    """
    if not isinstance(host, str) or not host:
        raise ArgumentRefused(f"{host!r} is no host", remedy='Write it as "example.com" or "10.0.0.1".')
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return await _ask(net, host, port)
    if address.version != 4:
        raise DNSFailed(f"{host} is an IPv6 address, and the board's stack speaks IPv4", port=port)
    return host


def port_number(port: int | str, kind: Literal["tcp", "udp"]) -> int:
    """The number of a port, which may be named as in /etc/services.

    Raises:
        ArgumentRefused: it is no port.
        DNSFailed: no service of that name is known on this computer.
    """
    if isinstance(port, str) and not (port.isascii() and port.isdigit()):
        try:
            return socket.getservbyname(port, kind)
        except (OSError, ValueError) as error:  # a NUL in it
            raise DNSFailed(f"{port[:80]!r} is the name of no service") from error
    number = int(port) if isinstance(port, int | str) and len(str(port)) < 10 else -1
    if not 0 <= number <= 0xFFFF:
        raise ArgumentRefused(f"{str(port)[:80]} is no port", remedy="Use a whole number from 1 to 65535.")
    return number


async def _ask(net: Net, host: str, port: str) -> str:
    try:
        name = host.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise DNSFailed(f"{host[:80]!r} cannot be the name of a host", port=port) from error
    turns = _turns.setdefault(net, _Turns())
    for _ in range(_TRIES):
        try:
            found = await turns.ask(net, name)
        except LuaError as error:
            if "out of memory" in error.message:  # others hold the slots
                await asyncio.sleep(_RETRY_AFTER)
                continue
            raise DNSFailed(f"The board takes {host[:80]!r} for no name", port=port) from error
        except UsageError as error:
            raise DNSFailed(f"{host[:80]!r} cannot be the name of a host", port=port) from error
        if found is None:
            break
        return found
    raise DNSFailed(f"The board's DNS servers do not know {host!r}", port=port)
