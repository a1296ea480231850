from __future__ import annotations

import gc
import threading

import pytest

from bridge import sync
from bridge.errors import BridgeError, UsageError
from bridge.mirror.lua import LuaName as AsyncLuaName
from bridge.mirror.lua import LuaObject as AsyncLuaObject
from bridge.mirror.table import HandleTable
from bridge.portal import portal
from bridge.sync.face import inward, outward, to_handler
from bridge.sync.objects import LuaName, LuaObject
from bridge.wire.values import Handle
from tests.mirror.caller import FakeCaller


def make_remote() -> tuple[FakeCaller, AsyncLuaObject]:
    async def make() -> tuple[FakeCaller, AsyncLuaObject]:
        caller = FakeCaller()
        return caller, AsyncLuaObject(HandleTable(caller, lambda error, where: None), Handle(1))

    return portal().call(make())


def test_one_face_for_one_handle_and_values_pass_through() -> None:
    caller, remote = make_remote()
    face = inward(remote)
    assert type(face) is LuaObject and inward(remote) is face and outward(face) is remote
    assert inward({b"k": [remote, 1]}) == {b"k": [face, 1]} and inward((remote, b"x")) == (face, b"x")
    assert outward({"k": (face, 1)}) == {"k": [remote, 1]}
    assert (outward(None), outward(b"x"), inward(1.5)) == (None, b"x", 1.5)


def test_a_face_that_is_dropped_releases_the_object() -> None:
    caller, remote = make_remote()
    face = inward(remote)
    del remote, face
    gc.collect()

    async def released() -> list[int]:
        return caller.released

    assert portal().call(released()) == [1]


def test_handlers_run_on_the_callback_thread_with_faces() -> None:
    _, remote = make_remote()
    seen: list[object] = []
    handler = to_handler(lambda *values: seen.extend((threading.current_thread().name, *values)))
    assert handler is not None
    portal().call(handler(remote, b"x"))
    assert seen == ["bridge-callbacks", inward(remote), b"x"]
    assert to_handler(None) is None


def test_release_and_the_end_of_a_handle() -> None:
    caller, remote = make_remote()
    face = inward(remote)
    gone = threading.Event()
    face.when_gone(lambda reason: gone.set())
    face.release()
    assert gone.wait(10) and caller.released == [1] and face.number == 1


def test_a_name_is_handed_on_as_a_name() -> None:
    async def make() -> LuaName:
        table = HandleTable(FakeCaller(), lambda error, where: None)

        async def tables() -> HandleTable:
            return table

        return LuaName(AsyncLuaName(tables))

    lua = portal().call(make())
    with pytest.raises(UsageError, match="is a name on the board"):
        lua.node.task.post(lua.tmr.ALARM_AUTO, print)


def test_lua_that_waits_gets_what_a_function_returns(shared: sync.Board) -> None:
    call = "local f = ... return f(20)"
    assert shared.exec(call, lambda value: value + 1) == 21
    assert shared.exec(call, lambda value: (value, b"x", [True])) == (20, b"x", [True])
    assert shared.exec(call, lambda value: shared.eval("... * 2", value)) == 40
    timer = shared.lua.tmr.create()
    assert shared.exec(call, lambda value: timer) is timer


def test_a_handler_may_call_lua_that_asks_a_function(shared: sync.Board) -> None:
    answers: list[object] = []
    done = threading.Event()

    def handler(timer: object) -> None:
        def deeper(value: int) -> object:
            return shared.exec("local f = ... return f(20)", lambda number: number + value)

        try:
            answers.append(shared.exec("local f = ... return f(1) * 2", deeper, timeout=5))
        except BridgeError as error:
            answers.append(error)
        done.set()

    timer = shared.tmr.create()
    timer.alarm(20, shared.tmr.ALARM_SINGLE, handler)
    assert done.wait(30) and answers == [42]
    assert shared.exec("local f = ... return f(7)", lambda value: value) == 7
    timer.release()
