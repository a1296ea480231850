"""The real agent Lua, on both Lua versions, with and without `ow`, over lines of every kind."""

import random

import pytest

from bridge.agent_source import ROOMS, _fields, digest, leave, member, room, stop_sequence
from bridge.wire.messages import Call, DirectCall, Failure, Hello, Invoke, Reply, Source
from bridge.wire.values import Aside, Callback, Handle
from tests.agent.fake_board import BoardAndSession
from tests.wire.session_pair import Damage

BOTH = pytest.mark.parametrize("version", ["5.1", "5.3"])
ECHO = Source(b"return function(...)return ... end")


def opened(version: str = "5.1", *, values: bool = True, **options: object) -> BoardAndSession:
    both = BoardAndSession(version, **options)  # type: ignore[arg-type]
    assert both.run_until(lambda: both.got, 5.0), both.board.errors
    assert both.got.pop() == Hello(digest().encode(), (40000, b"Lua " + version.encode()))
    if values:
        load(both, "values")
        both.got.clear()
    return both


def load(both: BoardAndSession, name: str) -> None:
    for one in (*ROOMS[name], name):
        for piece in room(one):
            both.send(Source(piece))
            assert answer(both, Call(253, 200)) == Reply(200, (None,))


def answer(both: BoardAndSession, call: Call) -> object:
    before = len(both.got)
    both.send(call)
    assert both.run_until(lambda: len(both.got) > before, 5.0)
    return both.got[-1]


@BOTH
def test_values_of_every_kind_come_back(version: str) -> None:
    both = opened(version)
    values = (
        None, True, False, 0, 63, 64, -1, 1.5, 0.1, 2**31 - 1, -(2**31), 123456789, b"", b"a" * 63, b"b" * 64,
        bytes(range(256)), [1, b"two", [3.25]], {b"k": True, 5: b"x"}, None,
    )  # fmt: skip
    both.send(ECHO)
    reply = answer(both, Call(71, 1, values))
    assert isinstance(reply, Reply)
    # Doubles of the host's Lua print 14 digits; what a board's number cannot hold is the board's business.
    assert reply.values == values


@BOTH
def test_calls_are_compiled_once_and_called_by_number(version: str) -> None:
    both = opened(version)
    both.send(Source(b"COUNT=(COUNT or 0)+1 return function(...)"))
    both.send(Source(b"return COUNT, ... end"))
    assert answer(both, Call(77, 1, (b"x",))) == Reply(1, (1, b"x"))
    assert answer(both, Call(77, 2)) == Reply(2, (1,))
    both.send(Source(b"return 1 + ..."))
    assert answer(both, Call(0, 3, (5,))) == Reply(3, (6,))


@BOTH
def test_errors_are_failures_with_luas_text(version: str) -> None:
    both = opened(version)
    both.send(Source(b"error('boom', 0)"))
    assert answer(both, Call(0, 1)) == Failure(1, (b"boom",))
    both.send(Source(b"return x x"))
    failure = answer(both, Call(75, 2))
    assert isinstance(failure, Failure) and b":1: " in failure.values[0]
    failure = answer(both, Call(75, 3))
    assert isinstance(failure, Failure)
    both.send(ECHO)  # the number can still be defined
    assert answer(both, Call(75, 4, (1,))) == Reply(4, (1,))
    failure = answer(both, Call(75, 5, (Handle(9),)))
    assert failure == Failure(5, (b"stale handle",))
    assert answer(both, Call(79, 6)) is not None and both.board.errors == []


@BOTH
def test_errors_without_a_caller_are_faults(version: str) -> None:
    both = opened(version)
    both.send(Source(b"error('boom', 0)"))
    assert answer(both, Call(0, 0)) == Failure(0, (b"boom",))


@BOTH
def test_objects_stay_on_the_board_under_one_number(version: str) -> None:
    both = opened(version)
    both.send(Source(b"F=function() return 5 end return F"))
    (handle,) = answer(both, Call(0, 1)).values  # type: ignore[attr-defined]
    assert isinstance(handle, Handle)
    both.send(Source(b"return F, (...)(), ... == F"))
    assert answer(both, Call(0, 2, (handle,))) == Reply(2, (handle, 5, True))
    both.send(Source(member("release")))
    number = handle.number.to_bytes(2, "big")
    assert answer(both, DirectCall(8, 3, number)) == Reply(3), "given back once, and sent twice"
    both.send(ECHO)
    assert answer(both, Call(79, 4, (handle,))) == Reply(4, (handle,))
    assert answer(both, DirectCall(8, 5, number + b"\0\2")) == Reply(5)
    assert answer(both, Call(79, 6, (handle,))) == Failure(6, (b"stale handle",))
    assert answer(both, DirectCall(8, 7, number)) == Failure(7, (b"stale handle",))


@BOTH
def test_lua_calls_functions_of_the_host_and_a_flood_is_cut(version: str) -> None:
    both = opened(version)
    both.send(Source(b"local f=... for i=1,100 do f(i,'x') end"))
    both.send(Call(0, 1, (Callback(3),)))
    assert both.run_until(lambda: Reply(1) in both.got, 5.0)
    both.run_until(lambda: False, 1.0)
    invoked = [message for message in both.got if isinstance(message, Invoke)]
    assert invoked[0] == Invoke(3, 0, (1, b"x")) and 10 < len(invoked) < 100
    assert [message for message in both.got if isinstance(message, Failure)] == [
        Failure(0, (b"calls of Python functions were dropped",))
    ]


@BOTH
@pytest.mark.parametrize("ow", [True, False])
@pytest.mark.parametrize("damage", [0.0, 0.001, 0.01])
def test_everything_comes_back_over_a_bad_line(version: str, ow: bool, damage: float) -> None:
    seed = 11
    lines = [Damage(damage / 2, damage / 2, damage / 4, seed=seed + i) for i in range(2)]
    both = opened(version, ow=ow, to_board=lines[0].apply, to_host=lines[1].apply, damage=max(damage, 0.0002))
    rng = random.Random(seed)
    chunks = [rng.randbytes(rng.randrange(1, 700)) for _ in range(30)]
    both.send(ECHO)
    for number, chunk in enumerate(chunks, 1):
        both.send(Call(71, number, (chunk,)))
    assert both.run_until(lambda: len(both.got) >= 30, 120.0), both.failed
    assert both.got == [Reply(number, (chunk,)) for number, chunk in enumerate(chunks, 1)]
    assert both.board.errors == []


def test_a_clean_line_is_used_well_both_ways_at_once() -> None:
    both = opened()
    both.send(ECHO)
    began, size = both.now, 0
    for number in range(1, 41):
        both.send(Call(71, number, (bytes(range(200)) * 6,)))
        size += 1200
    assert both.run_until(lambda: len(both.got) == 40, 60.0)
    assert size / (both.now - began) / 11520 > 0.8


@BOTH
def test_leaving_gives_the_uart_back_and_says_nothing_more(version: str) -> None:
    both = opened(version)
    both.send(Source(leave()))
    assert isinstance(answer(both, Call(253, 1)), Reply | Failure)
    both.run_until(lambda: False, 0.5)
    assert both.board.raw is None
    both.session.close()
    both.board.out.clear()
    both.run_until(lambda: False, 2.0)
    assert both.board.out == []


@BOTH
def test_a_host_that_knows_no_epoch_may_ask_for_the_prompt(version: str) -> None:
    both = opened(version)
    for segment in (b"garbage\0" + stop_sequence()).split(b"\0"):  # as a line brings them: the ring is small
        both.board.feed(segment + b"\0")
    both.run_until(lambda: False, 0.5)
    assert both.board.raw is None and both.board.errors == []


@BOTH
def test_garbage_stops_nothing(version: str) -> None:
    both = opened(version)
    rng = random.Random(4)
    for _ in range(300):
        both.board.feed(rng.randbytes(rng.randrange(1, 60)) + b"\0" * rng.randrange(2))
        both.run_until(lambda: False, 0.05)
    both.board.feed(b"(" * 300 + b"%\0" + bytes(5) + b"[[[\0")
    both.send(ECHO)
    assert answer(both, Call(71, 1, (b"alive",))) == Reply(1, (b"alive",))
    assert both.board.errors == []


@BOTH
def test_tables_are_put_aside_until_the_room_for_values_is_there(version: str) -> None:
    both = opened(version, values=False)
    both.send(Source(b"return 1, {2}, 'three', print"))
    assert answer(both, Call(0, 1)) == Reply(1, (1, Aside(1), b"three", Aside(2)))
    load(both, "values")
    both.send(Source(member("values.fetch")))
    assert answer(both, DirectCall(1, 2, b"\0\1")) == Reply(2, ([2],))
    reply = answer(both, DirectCall(1, 3, b"\0\2"))
    assert isinstance(reply, Reply) and isinstance(reply.values[0], Handle)
    both.send(Source(b"return {5}"))
    assert answer(both, Call(0, 4)) == Reply(4, ([5],))


@BOTH
def test_large_results_hold_the_next_calls_back_and_all_come(version: str) -> None:
    both = opened(version, fragment=100)
    both.send(Source(b"local n=0 return function() n=n+1 MOST=math.max(MOST or 0,n) return n,('x'):rep(3000) end"))
    for number in range(1, 13):
        both.send(Call(80, number))
    assert both.run_until(lambda: both.got, 5.0)
    # The first reply is here, and the last call has come long since: but most of them have not been taken yet.
    both.send(Source(b"return MOST"))
    both.run_until(lambda: both.session.sender.outstanding == 0, 5.0)
    assert both.run_until(lambda: len(both.got) == 12, 30.0)
    assert [reply.values[0] for reply in both.got] == list(range(1, 13))
    assert both.board.errors == []


@BOTH
def test_the_oldest_frame_goes_again_when_the_host_polls(version: str) -> None:
    lost: list[bytes] = []

    def lose_the_first_reply(data: bytes) -> bytes:
        if len(data) > 100 and not lost:
            lost.append(data)
            return b""
        return data

    both = opened(version, fragment=100, to_host=lose_the_first_reply)
    both.send(ECHO)
    began = both.now
    assert answer(both, Call(71, 1, (b"x" * 90,))) == Reply(1, (b"x" * 90,))
    assert lost and both.now - began < 0.29, "asked for by the host, not found by the board's own timer"


def no_memory_for(both: BoardAndSession, fragment: int) -> None:
    """The next message that has so many fragments finds no memory for this one."""
    lua = both.board.lua
    refuse = lua.eval(
        b"""function(out, fragment)
            setmetatable(out, {__newindex = function(t, k, v)
                if k == fragment then fragment = nil error("not enough memory", 0) end
                rawset(t, k, v)
            end})
        end"""
    )
    refuse(field(both, "out"), fragment)


def field(both: BoardAndSession, name: str) -> object:
    return both.agent[_fields()[name]]


@BOTH
def test_a_message_for_which_there_is_no_memory_leaves_nothing_behind(version: str) -> None:
    both = opened(version)
    both.run_until(lambda: False, 0.1)
    no_memory_for(both, 4)
    both.send(Source(b"return function(n) return ('x'):rep(n) end"))
    assert answer(both, Call(71, 1, (900,))) == Failure(1, (b"not enough memory",))
    assert len(field(both, "out")) == 1, "the three fragments before it would take heap"  # type: ignore[arg-type]
    assert answer(both, Call(71, 2, (900,))) == Reply(2, (b"x" * 900,))
    assert both.board.errors == []


@BOTH
def test_what_is_no_message_yet_is_not_sent_when_the_host_polls(version: str) -> None:
    both = opened(version)
    both.run_until(lambda: False, 0.1)
    number = both.session.receiver.expected
    # Of an event with data for which there was no memory; room_flow.lua hands it over when there is some.
    field(both, "out")[1] = bytes((number | 64,)) + b"half a message"  # type: ignore[index]
    both.run_until(lambda: False, 16.0)  # the host has asked for a sign of life
    both.send(ECHO)
    assert answer(both, Call(71, 1, (b"hello",))) == Reply(1, (b"hello",))
    assert both.failed == []


@BOTH
def test_a_frame_for_which_there_is_no_memory_comes_again(version: str) -> None:
    both = opened(version)
    both.send(ECHO)
    assert answer(both, Call(71, 1, (b"once",))) == Reply(1, (b"once",))
    fail = both.board.lua.eval(
        b"""function(agent, message)
            local times = 3
            local refuse = {__concat = function()
                times = times - 1
                if times == 0 then agent[message] = "" end
                error("not enough memory", 0)
            end}
            agent[message] = setmetatable({}, refuse)
        end"""
    )
    fail(both.agent, _fields()["message"])
    began = both.now
    assert answer(both, Call(71, 2, (b"again",))) == Reply(2, (b"again",))
    assert both.now - began < 1.0, "found by itself, and not when the host asks for a sign of life"
    assert both.session.sender.damaged == 0, "the line is not to blame"


@BOTH
def test_what_is_called_while_values_are_told_is_told_too(version: str) -> None:
    both = opened(version)
    both.send(Source(b"local f = ... return setmetatable({}, {__tostring = function() f('told') return '' end})"))
    both.send(Call(0, 9, (Callback(7),)))
    assert both.run_until(lambda: len(both.got) == 2, 5.0)
    assert both.got == [Invoke(7, 0, (b"told",)), Reply(9, ([],))]
