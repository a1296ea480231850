"""The agent's room for TLS sockets, over a `tls` that does what tls.c does: nil for the socket of "disconnection", one
piece at a time, nothing said where it does nothing."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.agent_source import ROOMS, member
from bridge.wire.messages import CREDIT, NO_ROOM, DirectCall, Event, EventCode, Failure, Reply, Source
from tests.agent.fake_board import BoardAndSession
from tests.agent.test_agent_lua import BOTH, answer, opened

#: `happens(socket, event, …)` is the C code that calls back; `log` has what the agent did.
FIRMWARE = b"""
log, free, collected = {}, 30000, 0
node.heap = function() return free end
local collect = collectgarbage
collectgarbage = function(...) collected = collected + 1 return collect(...) end
local function object(kind, methods)
  local new = setmetatable({ kind = kind, on_ = {} }, { __index = methods })
  methods.on = function(self, name, f) self.on_[name] = f end
  log[kind] = new
  return new
end
local function noted(name) return function(self, ...) log[#log + 1] = { self.kind, name, ... } end end
tls = { createConnection = function()
  return object("tls", { connect = function(self, port, host)
    if port == 0 then error("invalid port", 0) end
    log[#log + 1] = { "tls", "connect", port, host }
  end, send = noted("send"), close = noted("close") })
end }
net = { createConnection = function()
  return object("tcp", { hold = noted("hold"), unhold = noted("unhold"), close = noted("close") })
end }
function happens(socket, event, ...)
  if event == "disconnection" then return socket.on_[event](nil, ...) end
  return socket.on_[event](socket, ...)
end
"""
NUMBERS = {"tls.socket": 10, "tls.connect": 11, "tls.send": 12, "tls.close": 13, "tls.ease": 14, "net.socket": 15,
           "net.grant": 16, "release": 17, "tls.room": 18}  # fmt: skip


class Firmware:
    """The agent with its room, and a firmware that can be told what happens."""

    def __init__(self, version: str, *, alone: bool = False) -> None:
        self.both: BoardAndSession = opened(version, values=False)
        self.lua: Any = self.both.board.lua
        self.lua.execute(FIRMWARE)
        plain = () if alone else ("net", "net_make")
        for room in (*ROOMS["tls"], *plain, "tls", "tls_make", "tls_room", "tls_send"):
            load_once(self.both, room)
        self._known: set[str] = set()
        self.socket = self.call("tls.socket").values[0]
        self.lua.execute(b"log={tls=log.tls,tcp=log.tcp} collected=0")

    def settle(self) -> None:
        """Let everything that is on its way arrive."""
        self.both.run_until(lambda: False, 0.25)
        assert self.both.board.errors == []

    def call(self, name: str, *arguments: bytes) -> Any:
        """A call, and its answer."""
        if name not in self._known:
            self._known.add(name)
            self.both.send(Source(member(name)))
        found = answer(self.both, DirectCall(NUMBERS[name], 1, b"".join(arguments)))
        self.both.got.remove(found)
        return found

    def on_socket(self, name: str, *arguments: bytes) -> Any:
        return self.call(name, self.socket.to_bytes(2, "big"), *arguments)

    def happens(self, event: str, value: bytes | None = None, kind: bytes = b"tls") -> list[Event]:
        """The C code calls back; gives the events that the host gets."""
        self.both.got.clear()
        self.lua.globals()[b"happens"](self.lua.globals()[b"log"][kind], event.encode(), value)
        self.settle()
        return [message for message in self.both.got if isinstance(message, Event)]

    def connected(self) -> None:
        self.on_socket("tls.connect", (443).to_bytes(2, "big"), b"10.0.0.1")
        self.happens("dns", b"10.0.0.1")
        self.happens("connection")

    @property
    def done(self) -> list[tuple[Any, ...]]:
        """What the agent asked of the firmware, without the objects themselves."""
        log = self.lua.globals()[b"log"]
        entries = [log[at] for at in range(1, len(log) + 1)]
        return [tuple(entry[at] for at in range(1, len(entry) + 1)) for entry in entries]

    def forget(self) -> None:
        self.lua.execute(b"log={tls=log.tls,tcp=log.tcp} collected=0")


def load_once(both: BoardAndSession, room: str) -> None:
    from bridge.agent_source import room as source
    from bridge.wire.messages import Call

    for piece in source(room):
        both.send(Source(piece))
        assert answer(both, Call(253, 200)) == Reply(200, (None,))


def event(number: int, code: EventCode, value: bytes | int | None = None) -> Event:
    return Event(number, code, (value,))


@BOTH
def test_events_come_with_the_right_number_also_where_c_passes_nil(version: str) -> None:
    board = Firmware(version, alone=True)
    socket = board.socket
    assert board.happens("dns", b"10.0.0.1") == [event(socket, EventCode.DNS, b"10.0.0.1")]
    assert board.happens("connection") == [event(socket, EventCode.CONNECTION)]
    assert board.happens("receive", b"data") == [event(socket, EventCode.RECEIVE, b"data")]
    assert board.happens("sent") == [event(socket, EventCode.SENT)]
    assert board.happens("disconnection") == [event(socket, EventCode.DISCONNECTION)]
    assert board.happens("reconnection", b"Timeout") == [event(socket, EventCode.RECONNECTION, b"Timeout")]


@BOTH
def test_one_piece_at_a_time_leaves_in_order_and_each_call_ends_when_its_own_has_left(version: str) -> None:
    board = Firmware(version)
    assert board.on_socket("tls.send", b"early") == Failure(1, (b"not connected",))
    board.connected()
    board.forget()
    assert board.on_socket("tls.send", b"zero") == Reply(1)
    board.happens("sent")
    board.forget()
    address = board.socket.to_bytes(2, "big")
    for number, data in enumerate((b"one", b"two", b"three"), 5):
        board.both.send(DirectCall(NUMBERS["tls.send"], number, address + data))
    board.settle()
    assert board.done == [(b"tls", b"send", b"one")]
    assert [message for message in board.both.got if isinstance(message, Reply)] == [Reply(5)]
    board.happens("sent")
    assert board.done[1:] == [(b"tls", b"send", b"two")] and Reply(6) in board.both.got
    board.happens("disconnection")
    assert Failure(7, (b"not connected",)) in board.both.got
    assert len(board.done) == 2


@BOTH
def test_a_piece_waits_for_heap_that_it_needs(version: str) -> None:
    board = Firmware(version, alone=True)
    board.connected()
    address = board.socket.to_bytes(2, "big")
    assert board.on_socket("tls.send", b"first") == Reply(1)
    board.happens("sent")
    board.forget()
    board.lua.execute(b"free = 3000")
    board.both.send(DirectCall(NUMBERS["tls.send"], 9, address + b"data"))
    board.settle()
    assert board.lua.globals()[b"collected"] >= 1, "nothing is collected for what C takes"
    assert board.done == [] and Reply(9) not in board.both.got
    board.lua.execute(b"free = 30000")
    assert board.both.run_until(lambda: Reply(9) in board.both.got, 1.0), "the timer looks again"
    assert board.done == [(b"tls", b"send", b"data")]


@BOTH
def test_heap_that_never_comes_is_an_error_of_the_call(version: str) -> None:
    board = Firmware(version, alone=True)
    board.connected()
    address = board.socket.to_bytes(2, "big")
    board.on_socket("tls.send", b"first")
    board.happens("sent")
    board.forget()
    board.lua.execute(b"free = 3000")
    for number in (9, 10):
        board.both.send(DirectCall(NUMBERS["tls.send"], number, address + b"data"))
    failed = Failure(9, (b"not enough memory",)), Failure(10, (b"not enough memory",))
    assert board.both.run_until(lambda: failed[1] in board.both.got, 15.0)
    assert failed[0] in board.both.got and board.done == []
    board.lua.execute(b"free = 30000")
    assert board.on_socket("tls.send", b"later") == Reply(1)


@BOTH
def test_room_is_made_before_a_handshake_and_given_back_after(version: str) -> None:
    board = Firmware(version)
    plain = board.call("net.socket").values[0].to_bytes(2, "big")
    assert board.call("tls.room") == Reply(1, (30000,))
    assert board.done == [(b"tcp", b"hold")] and board.lua.globals()[b"collected"] >= 1
    # What the host's handlers use up meanwhile does not let the socket go.
    board.call("net.grant", plain, b"\0\1")
    assert board.done == [(b"tcp", b"hold")]
    assert board.on_socket("tls.connect", (443).to_bytes(2, "big"), b"host.test") == Reply(1, (None,)) or True
    assert board.done[-1] == (b"tls", b"connect", 443, b"host.test")
    board.forget()
    board.happens("dns", b"10.0.0.1")
    assert board.lua.globals()[b"collected"] >= 1, "just before the firmware looks at the heap"
    assert board.done == []
    board.happens("connection")
    assert board.done == [(b"tcp", b"unhold")]


@BOTH
@pytest.mark.parametrize("end", [("reconnection", b"x"), ("disconnection", None), ("dns", None)])
def test_a_handshake_that_fails_gives_it_back_too(version: str, end: tuple[str, bytes | None]) -> None:
    board = Firmware(version)
    board.call("net.socket")
    board.call("tls.room")
    board.forget()
    board.happens(*end)
    assert board.done == [(b"tcp", b"unhold")]


@BOTH
def test_a_socket_that_is_held_for_the_host_stays_held(version: str) -> None:
    board = Firmware(version)
    board.call("net.socket")
    board.happens("receive", bytes(CREDIT - 5000), b"tcp")
    assert board.done == [(b"tcp", b"hold")]
    board.call("tls.room")
    board.happens("reconnection", b"x")
    assert board.done == [(b"tcp", b"hold")]


@BOTH
def test_where_the_firmware_would_say_nothing_for_lack_of_heap(version: str) -> None:
    board = Firmware(version)
    board.lua.execute(b"free = 18432")
    socket = board.socket
    assert board.happens("dns", b"10.0.0.1") == [
        event(socket, EventCode.DNS, b"10.0.0.1"), event(socket, EventCode.RECONNECTION, b"Out of memory")
    ]  # fmt: skip


@BOTH
def test_a_peer_that_sends_faster_than_the_line_does_not_fill_the_heap(version: str) -> None:
    board = Firmware(version)
    board.connected()
    board.forget()
    board.lua.execute(b"free = 1900")
    told = [what for what in board.happens("receive", b"data") if what != Event(0, 0)]
    assert told == [event(board.socket, EventCode.RECONNECTION, NO_ROOM)]
    assert board.done == [(b"tls", b"close")]
    assert board.on_socket("tls.send", b"x") == Failure(1, (b"not connected",))


@BOTH
def test_close_tells_whether_disconnection_follows(version: str) -> None:
    board = Firmware(version)
    assert board.on_socket("tls.close") == Reply(1, (False,))
    board.on_socket("tls.connect", (443).to_bytes(2, "big"), b"host.test")
    assert board.on_socket("tls.close") == Reply(1, (False,)), "the name is looked up"
    board.happens("dns", b"10.0.0.1")
    assert board.on_socket("tls.close") == Reply(1, (True,)), "in the handshake"
    board.happens("connection")
    assert board.on_socket("tls.close") == Reply(1, (True,))
    board.happens("disconnection")
    assert board.on_socket("tls.close") == Reply(1, (False,))


@BOTH
def test_what_the_module_says_comes_up(version: str) -> None:
    board = Firmware(version)
    failure = board.on_socket("tls.connect", b"\0\0", b"host.test")
    assert isinstance(failure, Failure) and failure.values[0].endswith(b"invalid port")


@BOTH
def test_a_socket_that_was_let_go_is_closed_and_says_nothing_more(version: str) -> None:
    board = Firmware(version, alone=True)
    board.connected()
    address = board.socket.to_bytes(2, "big")
    board.on_socket("tls.send", b"on its way")
    board.both.send(DirectCall(NUMBERS["tls.send"], 9, address + b"waiting"))
    board.settle()
    board.forget()
    board.both.send(Source(member("release")))
    board.both.send(DirectCall(NUMBERS["release"], 0, address))
    board.settle()
    assert board.done == [(b"tls", b"close")]
    assert Failure(9, (b"not connected",)) in board.both.got
    assert board.happens("receive", b"late") == [] and board.happens("disconnection") == []
    board.lua.execute(
        b"weak = setmetatable({ log.tls }, { __mode = 'v' }) log.tls = nil collectgarbage() collectgarbage()"
    )
    assert board.lua.eval(b"weak[1]") is None


@BOTH
def test_a_firmware_without_the_module(version: str) -> None:
    board = Firmware(version)
    board.lua.execute(b"tls = nil")
    assert board.call("tls.socket") == Reply(1)
