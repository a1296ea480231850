from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import lupa.lua51
import lupa.lua53
import pytest

import bridge
from bridge.errors import AgentError, LuaError, UsageError
from bridge.mirror.table import HandleTable
from bridge.mirror.tls_cert import MOST_CERTIFICATES, Cert
from bridge.wire.messages import MAX_MESSAGE, Call, describe, encode
from bridge.wire.values import Handle, Secret, Value
from tests.mirror.caller import FakeCaller, make_table
from tests.trace.leaks import assert_no_leak

LUA = {"5.1": lupa.lua51.LuaRuntime, "5.3": lupa.lua53.LuaRuntime}
KEY = "-----BEGIN RSA PRIVATE KEY-----\n" + "QXZJVWKa" * 400 + "\n-----END RSA PRIVATE KEY-----\n"
PEM = "-----BEGIN CERTIFICATE-----\n" + "MIIB" * 450 + "\n-----END CERTIFICATE-----\n"

Scenario = Callable[[Cert, FakeCaller, Any], Awaitable[None]]


def on_cert(scenario: Scenario, version: str = "5.1", *, tls: bool = True) -> list[tuple[Value, ...]]:
    """`Cert` over real Lua with a `tls.cert` that notes what it is called with; gives what was sent to the board."""
    sent: list[tuple[Value, ...]] = []

    async def main() -> None:
        caller, table, _ = make_table()
        lua = LUA[version](encoding=None, unpack_returned_tuples=True)
        lua.execute("unpack=unpack or table.unpack loadstring=loadstring or load seen={}")
        if tls:
            lua.execute(
                "tls={cert={}} for _,name in pairs{'verify','auth'} do tls.cert[name]=function(...) "
                "if ...=='bad' then error('No PEM header',0) end seen={name=name,...} return true end end"
            )
        objects: dict[int, Any] = {}

        def run(source: bytes | str, *values: Value) -> tuple[Value, ...]:
            sent.append(values)
            text = source.encode() if isinstance(source, str) else source
            assert len(encode(Call(0, 1, (text, *values)))) < MAX_MESSAGE
            function = lua.eval("function(s) return assert(loadstring(s)) end")(text)
            given = [objects[value.number] if isinstance(value, Handle) else
                     value.encode() if isinstance(value, str) else value for value in values]  # fmt: skip
            try:
                result = function(*given)
            except (lupa.lua51.LuaError, lupa.lua53.LuaError) as error:
                raise LuaError(str(error)) from None
            if result is None:
                return () if not tls else (None,)
            if callable(result):
                objects[len(objects) + 1] = result
                return (Handle(len(objects)),)
            return (result,)

        caller.replies["lua"] = run

        async def tables() -> HandleTable:
            return table

        await scenario(Cert(tables), caller, lua.globals())

    asyncio.run(main())
    return sent


@pytest.mark.parametrize("version", ["5.1", "5.3"])
def test_the_forms_of_lua(version: str) -> None:
    async def scenario(cert: Cert, caller: FakeCaller, g: Any) -> None:
        for value in (True, False, None):
            assert await cert.verify(value) is True
            assert (g[b"seen"][b"name"], g[b"seen"][1]) == (b"verify", value)
        assert await cert.verify(PEM) is True
        assert (g[b"seen"][b"name"], g[b"seen"][1], g[b"seen"][2]) == (b"verify", PEM.encode(), None)
        assert await cert.auth(PEM, KEY.encode()) is True
        assert [g[b"seen"][at] for at in (b"name", 1, 2, 3)] == [b"auth", PEM.encode(), KEY.encode(), None]
        assert await cert.auth(PEM) is True
        assert [g[b"seen"][at] for at in (1, 2)] == [PEM.encode(), None]
        assert caller.released == [1, 2, 3], "nothing is left on the board"

    on_cert(scenario, version)


@pytest.mark.parametrize("version", ["5.1", "5.3"])
def test_functions_are_asked_now_and_the_board_gets_their_answers(version: str) -> None:
    async def scenario(cert: Cert, caller: FakeCaller, g: Any) -> None:
        asked: list[int] = []

        def authorities(number: int) -> str | None:
            asked.append(number)
            return {1: PEM, 2: "second"}.get(number)

        assert await cert.verify(authorities) is True
        assert asked == [1, 2, 3]
        answers = g[b"seen"][1]
        assert [answers(k) for k in (1, 2, 3)] == [PEM.encode(), b"second", None]

        async def own(number: int) -> bytes | bool:
            asked.append(number)
            return [KEY.encode(), b"leaf\0der", b"chain", False][number]

        asked.clear()
        assert await cert.auth(own) is True
        assert asked == [0, 1, 2, 3]
        answers = g[b"seen"][1]
        assert [answers(k) for k in (0, 1, 2, 3)] == [KEY.encode(), b"leaf\0der", b"chain", None]
        assert await cert.auth(lambda number: "chain" if number == 1 else None) is True
        assert [g[b"seen"][1](k) for k in (0, 1, 2)] == [None, b"chain", None]

    on_cert(scenario, version)


def test_what_the_module_says_comes_up() -> None:
    async def scenario(cert: Cert, caller: FakeCaller, g: Any) -> None:
        with pytest.raises(LuaError, match="No PEM header"):
            await cert.verify("bad")
        assert caller.released == [1]

    on_cert(scenario)


@pytest.mark.parametrize(
    "values", [(), (5,), (True, True), ("a", "b"), (["a"],), (print, print), (lambda k: 5,), (lambda k: "endless",)]
)
def test_what_is_none_of_its_forms(values: tuple[Any, ...]) -> None:
    async def scenario(cert: Cert, caller: FakeCaller, g: Any) -> None:
        with pytest.raises(UsageError) as caught:
            await cert.verify(*values)
        assert "endless" not in str(caught.value)

    assert on_cert(scenario) == []


def test_a_function_that_raises_changes_nothing() -> None:
    async def scenario(cert: Cert, caller: FakeCaller, g: Any) -> None:
        with pytest.raises(KeyError):
            await cert.verify(lambda number: {}[number])
        assert caller.calls == []

    on_cert(scenario)


def test_too_many_certificates() -> None:
    async def scenario(cert: Cert, caller: FakeCaller, g: Any) -> None:
        with pytest.raises(UsageError, match=f"more than {MOST_CERTIFICATES}"):
            await cert.auth(lambda number: b"x")

    on_cert(scenario)


def test_a_firmware_without_it() -> None:
    async def scenario(cert: Cert, caller: FakeCaller, g: Any) -> None:
        for values in ((True,), (PEM,), (lambda number: None,)):
            with pytest.raises(AgentError, match="no module tls"):
                await cert.verify(*values)

    on_cert(scenario, tls=False)


def test_keys_are_shown_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    async def scenario(cert: Cert, caller: FakeCaller, g: Any) -> None:
        await cert.auth(PEM, KEY)
        await cert.auth(lambda number: [KEY, PEM, None][number])

    pieces = [value for values in on_cert(scenario) for value in values if isinstance(value, bytes)]
    assert pieces and all(isinstance(piece, Secret) for piece in pieces)
    shown = "".join(describe(Call(0, 1, (piece,)), width=10_000) for piece in pieces) + repr(pieces) + caplog.text
    assert "QXZ" not in shown and "MIIB" not in shown
    assert "".join(map(bytes.decode, pieces)).count(KEY) == 2


def test_keys_are_in_no_trace(tmp_path: Path) -> None:
    path = tmp_path / "trace"

    async def main() -> None:
        async with bridge.open_board("virtual:?cpu=0&baud_pacing=0", trace=path) as board:
            assert await board.tls.cert.auth(PEM, KEY) is True
            assert await board.tls.cert.auth(lambda number: [KEY, PEM, None][number]) is True

    asyncio.run(main())
    assert path.stat().st_size > 3 * len(KEY)
    assert_no_leak(path, b"QXZJVWKaQXZJVWKa")
