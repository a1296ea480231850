"""`tls.cert`: whose certificates the board believes, and which one it shows (app/modules/tls.c, release 3.0.0).

Keys and certificates travel as `Secret`, through Lua that names `tls.cert`: so neither logs nor traces show them.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import Any

from bridge.errors import AgentError, UsageError
from bridge.mirror.lua import TableSource
from bridge.mirror.table import HandleTable
from bridge.wire.values import Secret, Value

Text = bytes | str
#: Called with a number; returns a certificate or key (PEM or DER), or None when there is none of that number.
Source = Callable[[int], Text | None | bool | Awaitable[Text | None | bool]]

#: Certificates that a function may give: a board has room for few.
MOST_CERTIFICATES = 8
#: Bytes of a certificate in one message to the board.
_PIECE = 1_400

_CALL = "if not tls then return end return tls.cert[...](select(2, ...))"
#: Takes texts in pieces, then calls `tls.cert` with the first so many, or with a function that has them.
_COLLECT = """if not tls then return end
local texts = {}
return function(cert, name, count, slot, piece)
  if piece then texts[slot] = (texts[slot] or "") .. piece return end
  if count then return cert[name](unpack(texts, 1, count)) end
  return cert[name](function(k) return texts[k] end)
end"""
_GIVE = "local f = ... return f(tls.cert, select(2, ...))"


def no_tls(table: HandleTable) -> AgentError:
    """The error of a firmware that has no module `tls`."""
    return AgentError(
        "The firmware has no module tls",
        port=table.caller.url,
        remedy="Flash an image that was built with the modules net and tls; the default builds have no tls.",
    )


class Cert:
    """`tls.cert`. What is set holds for all connections that begin afterwards, until the board restarts."""

    def __init__(self, tables: TableSource) -> None:
        self._tables = tables

    async def verify(self, *values: bool | Text | Source | None) -> bool:
        """Say whether, and against whose certificate, peers are checked. Without this they are not.

        `verify(True)`, `verify(False)`: against the certificate in the board's flash, or not at all.
        `verify(pem)`: write this CA certificate to the flash, and check against it. The stock module keeps one
        (and would ignore others); for several pass a function.
        `verify(function)`: check against what it returns for 1, 2, … until it returns None; nothing is written. The
        stock module calls the function during each handshake and cannot wait for the host; so here it is called now,
        and the board gets its answers.

        Returns:
            True if it worked.

        Raises:
            LuaError: "no certificates found", "No PEM header", "Wrong PEM type", "Incorrect PEM format", "Invalid
                character in PEM", "Invalid PEM format data", ….
            UsageError: something else was given, or the function returned something else.
            AgentError: the firmware has no module `tls`.
        """
        return await self._set("verify", values, first=1, most=1)

    async def auth(self, *values: bool | Text | Source | None) -> bool:
        """Say whether the board shows a certificate of its own, and which.

        `auth(True)`, `auth(False)`: the one in the board's flash, or none.
        `auth(certificate, key)`: write both (PEM; the key as "RSA PRIVATE KEY") to the flash, and show it.
        `auth(function)`: what it returns for 0 is the key, for 1, 2, … the certificates until it returns None. As
        with `verify`, it is called now.

        Returns and raises what `verify` does.
        """
        return await self._set("auth", values, first=0, most=2)

    async def _set(self, name: str, values: tuple[Any, ...], *, first: int, most: int) -> bool:
        texts: dict[int, Secret] = {}
        given = values[0] if values else None
        if len(values) > (most if isinstance(given, str | bytes | bytearray) else 1) or not values:
            raise UsageError(f"tls.cert.{name} was given {len(values) or 'no'} values", remedy=_remedy(name, most))
        if given is None or isinstance(given, bool):
            table = await self._tables()
            return _result(table, await table.run_lua(_CALL, name, given))
        if callable(given):
            texts = await _answers(given, first)
        else:
            texts = {number: _secret(value, name, most) for number, value in enumerate(values, 1)}
        table = await self._tables()
        made = await table.run_lua(_COLLECT)
        if not made:
            raise no_tls(table)
        (collector,) = made
        try:
            for number, text in texts.items():
                for at in range(0, len(text), _PIECE):
                    await table.run_lua(_GIVE, collector, name, None, number, Secret(text[at : at + _PIECE]))
            return _result(table, await table.run_lua(_GIVE, collector, name, None if callable(given) else len(texts)))
        finally:
            await collector.release()


def _result(table: HandleTable, values: tuple[Value, ...]) -> bool:
    if not values:
        raise no_tls(table)
    return bool(values[0])


def _remedy(name: str, most: int) -> str:
    return f"Pass True, False, {'a certificate' if most == 1 else 'a certificate and its key'}, or a function."


def _secret(value: object, name: str, most: int) -> Secret:
    if isinstance(value, str):
        return Secret(value.encode())
    if isinstance(value, bytes | bytearray):
        return Secret(value)
    raise UsageError(f"A {type(value).__name__} is nothing that tls.cert.{name} takes", remedy=_remedy(name, most))


async def _answers(function: Source, first: int) -> dict[int, Secret]:
    texts: dict[int, Secret] = {}
    for number in range(first, MOST_CERTIFICATES + 1):
        answer = function(number)
        if inspect.isawaitable(answer):
            answer = await answer
        if answer is None or answer is False:
            if number == 0:  # no key, and yet there may be certificates
                continue
            return texts
        if not isinstance(answer, str | bytes | bytearray):
            raise UsageError(
                f"The function returned a {type(answer).__name__} for {number}",
                remedy="Return a certificate as str or bytes, or None when there is no more.",
            )
        texts[number] = Secret(answer.encode() if isinstance(answer, str) else answer)
    raise UsageError(
        f"The function returned more than {MOST_CERTIFICATES} certificates",
        remedy="Return None when there is no more.",
    )
