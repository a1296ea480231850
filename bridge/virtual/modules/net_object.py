"""What the three kinds of objects of `net` share (app/modules/net.c): pcb, self reference, callbacks."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, ClassVar, Final

from bridge.virtual.lua.api import Args, Call, LuaFault, LuaObject, ObjectType, Value
from bridge.virtual.lwip.address import dotted
from bridge.virtual.lwip.err import TEXTS, Err
from bridge.virtual.lwip.stack import NetworkStack
from bridge.virtual.sdk.kernel import Kernel

#: sizeof(lnet_userdata) on the chip.
USERDATA_SIZE = 44
#: LUA_NOREF: no value can be this one.
NOREF: Final = object()

Calls = Generator[Call, tuple[Value, ...], Any]


class NetObject(LuaObject):
    """A userdata of `net`.

    `ref` is the registry reference that C calls `self_ref`: normally the object itself, which is then kept alive;
    NOREF when there is none. (It may be something else: see `net_server.accepted`.)
    """

    TYPE: ClassVar[ObjectType]

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.ref: Value = NOREF

    @property
    def stack(self) -> NetworkStack:
        return self.kernel.network

    def take_ref(self) -> bool:
        """Refer to itself unless it does already; returns whether it did not."""
        if self.ref is not NOREF:
            return False
        self.ref = self
        self.kernel.lua.pin(self)
        return True

    def drop_ref(self) -> None:
        """Let the collector have it."""
        ref, self.ref = self.ref, NOREF
        if ref is self:
            self.kernel.lua.unpin(self)

    @property
    def self_value(self) -> Value:
        """What callbacks get as their first argument."""
        return None if self.ref is NOREF else self.ref

    def call(self, function: Value, *arguments: Value) -> None:
        """Call into Lua from a callback of the stack: an error is a PANIC."""
        self.kernel.lua.unprotected(function, *arguments)

    def finish(self, calls: Calls) -> Any:
        """Run what may call Lua, from a callback of the stack."""
        return run_calls(self.kernel, calls)


def run_calls(kernel: Kernel, calls: Calls) -> Any:
    """Do the calls of a generator unprotected, as a callback of the stack does."""
    try:
        call = next(calls)
        while True:
            call = calls.send(kernel.lua.unprotected(call.function, *call.arguments))
    except StopIteration as done:
        return done.value


def check(err: Err) -> None:
    """As `lwip_lua_checkerr`.

    Raises:
        LuaFault: the error's text.
    """
    if err is not Err.OK:
        raise LuaFault(TEXTS.get(err, "unknown error"))


def check_user_data(arguments: Args, *kinds: type[NetObject]) -> Any:
    """The object a method was called on.

    Raises:
        LuaFault: it is something else, or an object that does not have this method.
    """
    thing = arguments.get(1)
    if not isinstance(thing, kinds):
        raise LuaFault("invalid user data")
    return thing


def set_callback(
    arguments: Args, callbacks: dict[str, Value], events: tuple[str, ...], unknown: str = "invalid callback name"
) -> None:
    """As `net_on` and `tls_socket_on`: a function, or an explicit nil to take it away.

    Args:
        arguments: of `on`.
        callbacks: of the object.
        events: their names.
        unknown: what an error says of any other name.

    Raises:
        LuaFault: no such event, or no function.
    """
    name = arguments.check_string(2).split(b"\0", 1)[0].decode("latin-1")
    if name not in events:
        raise LuaFault(unknown)
    if arguments.is_function(3):
        callbacks[name] = arguments.get(3)
    elif len(arguments) >= 3 and arguments.get(3) is None:
        callbacks.pop(name, None)
    else:
        raise LuaFault("invalid callback function")


def place(ip: int, port: int) -> tuple[Value, Value]:
    """Port and address as `getaddr` and `getpeer` answer; two nils while there is no port."""
    return (port, dotted(ip).encode()) if port else (None, None)
