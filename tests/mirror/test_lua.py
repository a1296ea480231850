from __future__ import annotations

import asyncio

import pytest

from bridge.errors import LuaError, UsageError
from bridge.mirror.handle import State
from bridge.mirror.lua import LuaName, LuaObject, single
from bridge.mirror.table import HandleTable
from bridge.wire.values import Handle
from tests.mirror.caller import FakeCaller


def make_lua() -> tuple[FakeCaller, LuaName]:
    caller = FakeCaller()
    table = HandleTable(caller, lambda error, where: None, LuaObject)

    async def tables() -> HandleTable:
        return table

    return caller, LuaName(tables)


def test_results_as_python_has_them() -> None:
    assert (single(()), single((1,)), single((1, None)), single((None,))) == (None, 1, (1, None), None)


def test_any_function_of_any_module() -> None:
    async def main() -> None:
        caller, lua = make_lua()
        caller.replies["node.bootreason"] = (2, 6)
        assert await lua.node.bootreason() == (2, 6)
        assert await lua.gpio.write(4, 1) is None
        caller.replies["lua"] = (1,)
        assert await lua.net.TCP.get() == 1
        assert [(target, *values) for target, values in caller.calls] == [
            ("node.bootreason",), ("gpio.write", 4, 1), ("lua", "return net.TCP")
        ]  # fmt: skip
        with pytest.raises(LuaError, match=r"board\.lua\.module\.function"):
            await lua()
        with pytest.raises(UsageError, match="no name in Lua"):
            await getattr(lua, "(function() end)()").get()
        assert repr(lua.net.dns) == "<lua net.dns>"
        with pytest.raises(AttributeError):
            lua.__wrapped__  # noqa: B018

    asyncio.run(main())


def test_objects_have_their_methods_and_functions_can_be_called() -> None:
    async def main() -> None:
        caller, lua = make_lua()
        caller.replies["tmr.create"] = (Handle(4),)
        timer = await lua.tmr.create()
        caller.replies[":alarm"] = (True,)
        assert await timer.alarm(1000, 1, print) is True
        assert caller.calls[-1][0] == ":alarm" and caller.calls[-1][1][:3] == (Handle(4), 1000, 1)
        caller.replies["lua"] = (b"result",)
        assert await timer(1, 2) == b"result"
        assert caller.calls[-1][1][1:] == (Handle(4), 1, 2)
        with pytest.raises(AttributeError):
            timer._private  # noqa: B018

    asyncio.run(main())


def test_a_name_is_no_value() -> None:
    async def main() -> None:
        caller, lua = make_lua()
        with pytest.raises(UsageError, match=r"lua tmr\.ALARM_AUTO.*await"):
            await lua.node.task.post(lua.tmr.ALARM_AUTO, print)
        assert caller.calls == []

    asyncio.run(main())


def test_an_assignment_says_how_it_is_done() -> None:
    async def main() -> None:
        caller, lua = make_lua()
        with pytest.raises(UsageError, match=r'x cannot be set.*board\.exec\("x = \.\.\.", value\)'):
            lua.x = 5
        with pytest.raises(UsageError, match=r'board\.exec\("wifi\.x = \.\.\.", value\)'):
            lua.wifi.x = 5
        with pytest.raises(UsageError, match=r'board\.exec\("wifi\.x = \.\.\.", value\)'):
            lua.wifi["x"] = 5
        with pytest.raises(UsageError, match=r'board\.exec\("get = \.\.\.", value\)'):
            lua.get = 5  # type: ignore[method-assign, assignment]
        with pytest.raises(UsageError, match=r'board\.exec\("x = \.\.\.", value\)'):
            del lua.x
        thing = LuaObject(await lua._tables(), Handle(4))
        with pytest.raises(UsageError, match=r"object\.x = value"):
            thing.x = 5  # type: ignore[method-assign, assignment]
        assert caller.calls == []

    asyncio.run(main())


def test_names_that_python_has_for_itself() -> None:
    async def main() -> None:
        caller, lua = make_lua()
        caller.replies["rtctime.get"] = (7, 8)
        assert await lua.rtctime["get"]() == (7, 8) and await lua["rtctime"]["get"]() == (7, 8)
        caller.replies["tmr.create"] = (Handle(4),)
        timer = await lua.tmr.create()
        caller.replies.update({":state": (True, 1), ":_x": (2,), ":on": (3,), ":release": (4,)})
        assert await timer["state"]() == (True, 1) and await timer["_x"]() == 2 and await timer["release"]() == 4
        assert await timer.on("message", print) == 3 and timer.state is State.OPEN
        for wrong in ("a b", "a.b", "", 5, "f()"):
            with pytest.raises(UsageError, match="is no name in Lua"):
                lua[wrong]
            with pytest.raises(UsageError, match="is no name in Lua"):
                timer[wrong]

    asyncio.run(main())
