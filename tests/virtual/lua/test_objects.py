"""Objects of the firmware are userdata in Lua, and go when Lua lets them go."""

from __future__ import annotations

from typing import ClassVar

import pytest

from bridge.virtual.clock import run
from bridge.virtual.lua.api import Args, LuaObject, Module, ObjectType
from tests.virtual.bench import Bench


class Lamp(LuaObject):
    TYPE: ClassVar[ObjectType]

    def __init__(self, gone: list[str], name: str) -> None:
        self.gone, self.name = gone, name

    def collected(self) -> None:
        self.gone.append(self.name)


Lamp.TYPE = ObjectType(
    "test.lamp",
    methods={"name": lambda arguments: arguments.check_object(1, Lamp).name.encode()},
    size=20,
    metamethods={"__tostring": lambda arguments: b"a lamp"},
)


class Workbench:
    """A board whose `uart` makes lamps."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.lua = bench.firmware.system.lua
        self.gone: list[str] = []
        self.made: list[Lamp] = []
        self.lua.add_module(Module("uart", {"lamp": self.lamp}))

    def lamp(self, arguments: Args) -> Lamp:
        self.made.append(Lamp(self.gone, arguments.check_string(1).decode()))
        return self.made[-1]


@pytest.fixture(params=["5.1", "5.3"])
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def workbench(version: str) -> Workbench:
    return Workbench(await Bench.boot(lua=version, modules="uart,node"))


def test_an_object_is_userdata_with_methods(version: str) -> None:
    async def main() -> None:
        bench = (await workbench(version)).bench
        assert await bench.answer("a=uart.lamp('desk') =type(a)") != ""
        assert await bench.answer("a=uart.lamp('desk')") == ""
        assert await bench.answer("=type(a),a:name(),tostring(a),a==a,a==uart.lamp('x')") == (
            "userdata\tdesk\ta lamp\ttrue\tfalse"
        )
        assert (await bench.answer("a.x=1")).startswith("Lua error: \tstdin:1: attempt to index ")
        assert (await bench.answer("a.name()")).startswith(
            "Lua error: \tstdin:1: bad argument #1 to 'name' (test.lamp expected, got no value)"
        )
        assert await bench.answer("=type(getmetatable(a)),getmetatable(a).name==a.name") == "table\ttrue"
        bench.close()

    run(main())


def test_objects_of_one_type_do_not_become_each_other(version: str) -> None:
    async def main() -> None:
        bench = (await workbench(version)).bench
        await bench.type("a,b=uart.lamp('a'),uart.lamp('b') collectgarbage() collectgarbage()")
        assert await bench.answer("=a:name(),b:name()") == "a\tb"
        bench.close()

    run(main())


def test_dropped_objects_are_collected_and_pinned_ones_are_not(version: str) -> None:
    async def main() -> None:
        work = await workbench(version)
        await work.bench.type("a=uart.lamp('kept') b=uart.lamp('pinned') c=uart.lamp('dropped')")
        work.lua.pin(work.made[1])
        await work.bench.type("b=nil c=nil collectgarbage() collectgarbage()")
        assert work.gone == ["dropped"]
        work.lua.unpin(work.made[1])
        await work.bench.type("collectgarbage() collectgarbage()")
        assert work.gone == ["dropped", "pinned"]
        work.bench.close()
        assert work.gone == ["dropped", "pinned"]

    run(main())


def test_in_the_default_mode_of_51_dropping_is_collecting() -> None:
    async def main() -> None:
        work = await workbench("5.1")
        await work.bench.type("uart.lamp('at once')")
        assert work.gone == ["at once"]
        work.bench.close()

    run(main())


def test_sizes_on_the_chip_are_known_by_address(version: str) -> None:
    async def main() -> None:
        work = await workbench(version)
        await work.bench.type("a=uart.lamp('x')")
        objects = work.lua.objects
        assert [objects.size_at(address) for address in objects._sizes if objects.size_at(address) == 20] == [20]
        work.bench.close()

    run(main())
