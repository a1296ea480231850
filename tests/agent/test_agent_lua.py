"""The real agent Lua, on both Lua versions, with and without `ow`, over lines of every kind."""

import random

import pytest

from bridge.agent import STOP_SEQUENCE
from bridge.agent_source import digest, member, room
from bridge.wire.messages import Call, Failure, Fault, Hello, Invoke, Reply, Source
from bridge.wire.values import Callback, Handle
from tests.agent.fake_board import BoardAndSession
from tests.wire.session_pair import Damage

BOTH = pytest.mark.parametrize("version", ["5.1", "5.3"])
ECHO = Source(b"return function(...)return ... end")


def opened(version: str = "5.1", **options: object) -> BoardAndSession:
    both = BoardAndSession(version, **options)  # type: ignore[arg-type]
    assert both.run_until(lambda: both.got, 5.0), both.board.errors
    assert both.got.pop() == Hello(digest().encode(), (40000, b"Lua " + version.encode()))
    return both


def load(both: BoardAndSession, name: str) -> None:
    both.send(Source(room(name)))
    assert answer(both, Call(253, 200)) == Reply(200)


def answer(both: BoardAndSession, call: Call) -> object:
    before = len(both.got)
    both.send(call)
    assert both.run_until(lambda: len(both.got) > before, 5.0)
    return both.got[-1]


@BOTH
def test_values_of_every_kind_come_back(version: str) -> None:
    both = opened(version)
    load(both, "values")
    values = (
        None, True, False, 0, 63, 64, -1, 1.5, 0.1, 2**31 - 1, -(2**31), 123456789, b"", b"a" * 63, b"b" * 64,
        bytes(range(256)), [1, b"two", [3.25]], {b"k": True, 5: b"x"}, None,
    )  # fmt: skip
    both.send(ECHO)
    reply = answer(both, Call(1, 1, values))
    assert isinstance(reply, Reply)
    # Doubles of the host's Lua print 14 digits; what a board's number cannot hold is the board's business.
    assert reply.values == values


@BOTH
def test_calls_are_compiled_once_and_called_by_number(version: str) -> None:
    both = opened(version)
    both.send(Source(b"COUNT=(COUNT or 0)+1 return function(...)"))
    both.send(Source(b"return COUNT, ... end"))
    assert answer(both, Call(7, 1, (b"x",))) == Reply(1, (1, b"x"))
    assert answer(both, Call(7, 2)) == Reply(2, (1,))
    both.send(Source(b"return 1 + ..."))
    assert answer(both, Call(0, 3, (5,))) == Reply(3, (6,))


@BOTH
def test_errors_are_failures_with_luas_text(version: str) -> None:
    both = opened(version)
    both.send(Source(b"error('boom', 0)"))
    assert answer(both, Call(0, 1)) == Failure(1, (b"boom",))
    both.send(Source(b"return x x"))
    failure = answer(both, Call(5, 2))
    assert isinstance(failure, Failure) and b"lua:1:" in failure.values[0]
    failure = answer(both, Call(5, 3))
    assert isinstance(failure, Failure)
    both.send(ECHO)  # the number can still be defined
    assert answer(both, Call(5, 4, (1,))) == Reply(4, (1,))
    failure = answer(both, Call(5, 5, (Handle(9),)))
    assert failure == Failure(5, (b"stale handle",))
    assert answer(both, Call(9, 6)) is not None and both.board.errors == []


@BOTH
def test_errors_without_a_caller_are_faults(version: str) -> None:
    both = opened(version)
    both.send(Source(b"error('boom', 0)"))
    assert answer(both, Call(0, 0)) == Fault((b"boom",))


@BOTH
def test_objects_stay_on_the_board_under_one_number(version: str) -> None:
    both = opened(version)
    load(both, "values")
    both.send(Source(b"F=function() return 5 end return F"))
    (handle,) = answer(both, Call(0, 1)).values  # type: ignore[attr-defined]
    assert isinstance(handle, Handle)
    both.send(Source(b"return F, (...)(), ... == F"))
    assert answer(both, Call(0, 2, (handle,))) == Reply(2, (handle, 5, True))
    load(both, "release")
    both.send(Source(member("release")))
    assert answer(both, Call(8, 3, (handle.number,))) == Reply(3)
    both.send(ECHO)
    assert answer(both, Call(9, 4, (handle,))) == Failure(4, (b"stale handle",))


@BOTH
def test_lua_calls_functions_of_the_host_and_a_flood_is_cut(version: str) -> None:
    both = opened(version)
    load(both, "values")
    both.send(Source(b"local f=... for i=1,100 do f(i,'x') end"))
    both.send(Call(0, 1, (Callback(3),)))
    assert both.run_until(lambda: Reply(1) in both.got, 5.0)
    both.run_until(lambda: False, 1.0)
    invoked = [message for message in both.got if isinstance(message, Invoke)]
    assert invoked[0] == Invoke(3, (1, b"x")) and 10 < len(invoked) < 100
    assert [message for message in both.got if isinstance(message, Fault)] == [
        Fault((b"calls of Python functions were dropped",))
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
        both.send(Call(1, number, (chunk,)))
    assert both.run_until(lambda: len(both.got) >= 30, 120.0), both.failed
    assert both.got == [Reply(number, (chunk,)) for number, chunk in enumerate(chunks, 1)]
    assert both.board.errors == []


def test_a_clean_line_is_used_well_both_ways_at_once() -> None:
    both = opened()
    both.send(ECHO)
    began, size = both.now, 0
    for number in range(1, 41):
        both.send(Call(1, number, (bytes(range(200)) * 6,)))
        size += 1200
    assert both.run_until(lambda: len(both.got) == 40, 60.0)
    assert size / (both.now - began) / 11520 > 0.8


@BOTH
def test_leaving_gives_the_uart_back_and_says_nothing_more(version: str) -> None:
    both = opened(version)
    both.send(Source(member("leave")))
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
    both.board.feed(b"garbage\0" + STOP_SEQUENCE)
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
    assert answer(both, Call(1, 1, (b"alive",))) == Reply(1, (b"alive",))
    assert both.board.errors == []
