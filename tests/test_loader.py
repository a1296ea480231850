import asyncio

import pytest

from bridge.errors import BoardOutOfMemory, BoardReset, LuaError, ReplError
from bridge.loader import Loader
from bridge.repl import Repl
from bridge.virtual import clock
from tests.virtual_link import virtual_port


@pytest.mark.parametrize("echo", [True, False])
@pytest.mark.parametrize("lua", ["5.1", "5.3"])
def test_chunks_run_once_and_answer(lua: str, echo: bool) -> None:
    async def main() -> None:
        async with virtual_port(lua=lua, echo=echo) as port:
            repl = Repl(port)
            await repl.sync()
            loader = Loader(repl)
            await loader.prepare()
            assert await loader.run("COUNT = (COUNT or 0) + 1 return 'ran ' .. COUNT") == "ran 1"
            long = "local t = {} " + " ".join(f"t[{n}] = {n}" for n in range(60)) + " return #t .. '\"\\\\'"
            assert await loader.run(long) == '59"\\'
            with pytest.raises(LuaError, match="boom"):
                await loader.run("error('boom')")
            with pytest.raises(LuaError):
                await loader.run("not lua")
            assert await loader.run("local shared = ... shared.x = 5") == "nil"
            assert await loader.run("return (...).x") == "5"
            assert loader.damage == 0.0
            await loader.finish()
            assert await repl.line("=_nb") == b"nil"

    clock.run(main())


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_bad_line_changes_nothing(seed: int) -> None:
    async def main() -> None:
        async with virtual_port(drop=0.005, flip=0.005, seed=seed) as port:
            repl = Repl(port)
            await repl.sync()
            loader = Loader(repl)
            await loader.prepare()
            for number in range(1, 4):
                source = f"COUNT = (COUNT or 0) + 1 return COUNT .. ' {'x' * 150}'"
                assert await loader.run(source) == f"{number} {'x' * 150}"
            assert 0.002 < loader.damage < 0.05

    clock.run(main())


def test_a_line_that_carries_nothing_is_given_up_in_time() -> None:
    async def main() -> None:
        async with virtual_port() as port:
            repl = Repl(port)
            await repl.sync()
            loader = Loader(repl, seconds=3.0)
            port.board.chip.power_off()
            with pytest.raises(ReplError, match="within 3 s"):
                await loader.prepare()

    clock.run(main())


@pytest.mark.parametrize("heap", [6000, 8000])
def test_a_board_without_memory_is_told_soon(heap: int) -> None:
    async def main() -> None:
        async with virtual_port(heap=heap) as port:
            repl = Repl(port)
            await repl.sync()
            loader = Loader(repl, seconds=30.0)
            loop = asyncio.get_running_loop()
            began = loop.time()
            with pytest.raises(BoardOutOfMemory, match="too little free heap") as caught:
                await loader.prepare()
                await loader.run("local t={} for i=1,500 do t[i]={i} end return 1")
            assert loop.time() - began < 10.0 and caught.value.port == port.url and caught.value.remedy
            await loader.finish()
            assert await repl.line("=_nb") == b"nil"

    clock.run(main())


@pytest.mark.parametrize("lua", ["5.1", "5.3"])
@pytest.mark.parametrize("seconds", [0.01, 0.06, 0.3])
def test_a_board_that_restarts_meanwhile_is_noticed_soon(lua: str, seconds: float) -> None:
    async def main() -> None:
        async with virtual_port(lua=lua) as port:
            repl = Repl(port)
            await repl.sync()
            loop = asyncio.get_running_loop()
            loop.call_later(seconds, port.board.reset)
            began = loop.time()
            loader = Loader(repl)
            with pytest.raises(BoardReset, match="while the agent was put on it"):
                await loader.prepare()
                for _ in range(100):
                    await loader.run("return 1" + " " * 100)
            assert loop.time() - began < seconds + 1.0

    clock.run(main())
