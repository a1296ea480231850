"""The same agent on each build of the firmware that there is, on the virtual board."""

from __future__ import annotations

import asyncio
import random

import pytest

from bridge import agent
from bridge.errors import AgentError, LuaError
from bridge.repl import Repl
from bridge.virtual import clock
from bridge.wire.values import Handle
from tests.virtual_link import virtual_port

BUILDS = [
    {"lua": lua, "number": number, "modules": modules}
    for lua in ("5.1", "5.3")
    for number in ("float", "integer")
    for modules in ("net,node,ow,tmr,uart", "net,node,tmr,uart")
]
BUILDS += [
    {"firmware": "2.2.1", "lua": "5.1", "number": number, "modules": "net,node,ow,tmr,uart"}
    for number in ("float", "integer")
]


@pytest.mark.parametrize("build", BUILDS, ids=lambda build: "-".join(build.values()).replace(",", "."))
@pytest.mark.parametrize(
    "faults",
    [
        pytest.param({}, id="clean", marks=pytest.mark.nightly),
        pytest.param({"drop": 0.002, "flip": 0.002, "duplicate": 0.001, "seed": 3}, id="bad"),
    ],
)
def test_the_agent_does_its_work(build: dict[str, str], faults: dict[str, float]) -> None:
    async def main() -> None:
        async with virtual_port(**build, **faults) as port:
            link = await agent.start(port, rng=random.Random(1))
            assert link.facts.lua == build["lua"]
            assert link.facts.check == ("crc" if "ow" in build["modules"] else "sum")
            console, invoked = bytearray(), []
            link.on_console = console.extend
            await link.run_lua("function echo(...) return ... end")
            rng = random.Random(2)
            for length in (0, 1, 126, 700, 1400):
                chunk = rng.randbytes(length)
                assert await link.call("echo", chunk, timeout=60) == (chunk,)
            numbers = (0, -1, 65535, 2**31 - 1, -(2**31) + 1)
            assert await link.call("echo", *numbers, None, True, [1, [2, b"x"]], {b"k": 5}, timeout=60) == (
                *numbers, None, True, [1, [2, b"x"]], {b"k": 5},
            )  # fmt: skip
            if build["number"] == "float":
                assert await link.call("echo", 1.5, timeout=60) == (1.5,)
                assert await link.run_lua("return 7 / 2", timeout=60) == (3.5,)
            integers = build["lua"] == "5.1" and build["number"] == "integer"
            assert link.facts.number == ("integer" if integers else "float")
            with pytest.raises(LuaError, match="boom"):
                await link.run_lua("error('boom')", timeout=60)
            await link.run_lua("local f = ... f(1, 'two')", lambda *values: invoked.append(values), timeout=60)
            (timer,) = await link.call("tmr.create", timeout=60)
            assert isinstance(timer, Handle)
            link.release(timer)
            await link.run_lua("print('printed by Lua')", timeout=60)
            await asyncio.sleep(3)
            assert invoked == [(1, b"two")]
            if not faults:
                assert bytes(console) == b"printed by Lua\r\n"
            await link.close()

    clock.run(main())


@pytest.mark.parametrize("lua", ["5.1", "5.3"])
@pytest.mark.parametrize("missing", [("uart",), ("node",), ("tmr",), ("uart", "tmr"), ("node", "tmr", "uart")])
def test_opening_refuses_a_firmware_without_what_the_link_needs(lua: str, missing: tuple[str, ...]) -> None:
    async def main() -> None:
        modules = ",".join(name for name in ("file", "net", "node", "ow", "tmr", "uart") if name not in missing)
        async with virtual_port(lua=lua, modules=modules) as port:
            with pytest.raises(AgentError) as caught:
                await agent.start(port, rng=random.Random(1))
            assert f"has no module {' and no '.join(sorted(missing))}, which" in str(caught.value)
            assert caught.value.remedy and "node, tmr, uart" in caught.value.remedy
            repl = Repl(port)  # and leaves the prompt as it was
            await repl.sync()
            assert await repl.line("=_nb") == b"nil"

    clock.run(main())
