"""Chunks of any length, on the real agent."""

from __future__ import annotations

import asyncio

import pytest

from bridge.errors import BoardOutOfMemory, LuaError, ValueRefused
from bridge.link import Link
from bridge.virtual import clock
from tests.variants import by_night
from tests.virtual_link import virtual_link

COMMENT = "-- what is done here is explained at length, over the whole width of a line\n"
BOTH = pytest.mark.parametrize("lua", by_night(["5.1", "5.3"], but=["5.3"]))


def functions(size: int) -> str:
    """Source of many functions: what costs a compiler most."""
    text, number = "", 0
    while len(text) < size:
        number += 1
        text += (
            f"function g{number % 50}(a, b)\n  if a > b then return a - b + {number} end\n  return b * {number}\nend\n"
        )
    return text


async def heap(link: Link) -> int:
    return int((await link.run_lua("collectgarbage() collectgarbage() return node.heap()"))[0])


async def files(link: Link) -> object:
    (found,) = await link.run_lua("return file.list()")
    return found


@BOTH
def test_a_hundred_kilobytes_of_mostly_comments_run_with_values(lua: str) -> None:
    async def main() -> None:
        async with virtual_link(lua=lua) as link:
            await link.run_lua(COMMENT * 60 + "return ...", 1)
            before = await heap(link)
            source = "local a, b = ...\n" + COMMENT * 1300 + "return b, a, ..."
            assert len(source) > 98_000
            assert await link.run_lua(source, 1, b"two") == (b"two", 1, 1, b"two")
            assert await heap(link) >= before - 100
            assert await files(link) == []

    clock.run(main())


@BOTH
def test_errors_say_the_line_and_the_name(lua: str) -> None:
    async def main() -> None:
        async with virtual_link(lua=lua) as link:
            for lines in (3, 1200):
                for source, text in (("x x", "near 'x'"), ("error('boom')", "boom"), ("error('bare', 0)", None)):
                    with pytest.raises(LuaError) as caught:
                        await link.run_lua(COMMENT * lines + source, name="wetter.lua")
                    where = f"wetter.lua:{lines + 1}: "
                    assert (
                        caught.value.text.startswith(where) and text in caught.value.text
                        if text
                        else (caught.value.text == "bare")
                    )
            with pytest.raises(LuaError, match=r" lua:1: "):
                await link.run_lua("error('boom')")
            assert await files(link) == []

    clock.run(main())


@BOTH
def test_what_does_not_fit_is_out_of_memory_and_leaves_nothing(lua: str) -> None:
    async def main() -> None:
        async with virtual_link(lua=lua) as link:
            left = []
            for _ in range(3):
                with pytest.raises(BoardOutOfMemory):
                    await link.run_lua(functions(40_000))
                assert await link.run_lua("return g1, 1 + 1") == (None, 2)
                left.append(await heap(link))
            assert left[2] >= left[0] - 50
            assert await files(link) == []

    clock.run(main())


def test_long_chunks_at_once_do_not_meet() -> None:
    async def main() -> None:
        async with virtual_link() as link:
            sources = [COMMENT * 80 + f"return {number}, ..." for number in range(4)]
            quick = asyncio.create_task(link.call("node.heap"))
            got = await asyncio.gather(*(link.run_lua(source, b"v%d" % n) for n, source in enumerate(sources)))
            assert got == [(n, b"v%d" % n) for n in range(4)]
            assert quick.done(), "others need not wait for long chunks"

    clock.run(main())


def test_a_board_without_files_takes_what_its_heap_takes() -> None:
    async def main() -> None:
        async with virtual_link(modules="net,node,tmr,uart") as link:
            assert await link.run_lua(COMMENT * 130 + "return ...", 7, timeout=60) == (7,)
            with pytest.raises(LuaError, match=r"my chunk:131: "):
                await link.run_lua(COMMENT * 130 + "error('x')", timeout=60, name="my chunk")

    clock.run(main())


@pytest.mark.parametrize("modules", ["net,node,tmr,uart", "file,net,node,ow,tmr,uart"])
@pytest.mark.parametrize("lua", by_night(["5.1", "5.3"], but=["5.1"]))
def test_no_chunk_is_ever_run_with_a_part_missing(lua: str, modules: str) -> None:
    """Found: a piece that the heap did not hold was left out, and the rest was run."""

    async def main() -> None:
        async with virtual_link(lua=lua, modules=modules) as link:
            statement = "COUNT = COUNT + 1 -- " + "x" * 60 + "\n"
            for lines in (100, 250, 600):
                await link.run_lua("COUNT = 0")
                try:
                    await link.run_lua(statement * lines, timeout=120)
                    done = True
                except BoardOutOfMemory:
                    done = False
                assert await link.run_lua("return COUNT", timeout=60) == (lines if done else 0,), lines

    clock.run(main())


def test_a_full_file_system_is_no_hindrance() -> None:
    async def main() -> None:
        async with virtual_link(flash_size=1 << 20, flash=0) as link:
            await link.run_lua(
                """local f, line = file.open("full", "w"), ("x"):rep(1000)
                while f:write(line) do end f:close()""",
                timeout=300,
            )
            assert await link.run_lua(COMMENT * 90 + "return ...", 5, timeout=60) == (5,)
            (names,) = await link.run_lua("return file.list()")
            assert list(names) == [b"full"]

    clock.run(main())


def test_who_gives_up_leaves_neither_file_nor_code() -> None:
    async def main() -> None:
        async with virtual_link() as link:
            await link.run_lua(COMMENT * 60 + "return ...", 1)
            before = await heap(link)
            for moment in (0.0, 0.05, 0.2, 0.4, 0.7, 0.8, 0.85, 0.9):
                running = asyncio.create_task(link.run_lua(COMMENT * 130 + "RAN = (RAN or 0) + 1"))
                await asyncio.sleep(moment)
                assert running.cancel(), "it was over by itself"
                with pytest.raises(asyncio.CancelledError):
                    await running
                await asyncio.sleep(0.5)
                assert await files(link) == []
            assert await link.run_lua(COMMENT * 60 + "return ...", 2) == (2,)
            assert await heap(link) >= before - 100

    clock.run(main())


def test_what_does_not_fit_the_wire_is_refused_before_a_long_chunk_is_sent() -> None:
    async def main() -> None:
        async with virtual_link() as link:
            with pytest.raises(ValueRefused):
                await link.run_lua(COMMENT * 100, b"x" * 3000)
            assert await files(link) == []

    clock.run(main())
