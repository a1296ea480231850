"""The value that stands for JSON's null in Lua: a light userdata with no address."""

from __future__ import annotations

from typing import ClassVar

from bridge.virtual.lua.api import LuaObject, ObjectType


class Null(LuaObject):
    """`lua_pushlightuserdata(L, 0)`; there is one for all, so that it is equal to itself."""

    TYPE: ClassVar[ObjectType] = ObjectType("", {}, 0, {"__tostring": lambda args: b"userdata: 0x0"})


NULL = Null()
