"""The glue between TCP, TLS and Lua: what a program meets of its oversights and limits."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bridge.virtual.lwip.memnet import MemoryNetwork
from bridge.virtual.mbedtls.footprint import ESP_TCP, ESPCONN_MSG, NETCONN, OPEN_AEAD, RING
from bridge.virtual.modules.tls_connection import NEEDED_HEAP
from tests.virtual.bench import Bench
from tests.virtual.modules.net_bench import PEER, lines
from tests.virtual.modules.net_bench import echo as plain_echo
from tests.virtual.modules.tls_bench import (
    CONNECTED,
    FAILED,
    PORT,
    TlsStream,
    connect,
    identity,
    on_network,
    secure,
    server_context,
)

CONTEXT = server_context(identity())


async def heap(bench: Bench) -> int:
    """Free heap, with nothing of the console's in it."""
    await bench.type("collectgarbage() collectgarbage()")
    return int((await lines(bench, "=node.heap()"))[0])


# --- sending ---


def test_a_send_before_the_connection_or_before_the_last_was_acknowledged_is_dropped() -> None:
    got: list[bytes] = []

    async def collect(stream: TlsStream) -> None:
        while data := await stream.read():
            got.append(data)

    async def test(bench: Bench, _network: MemoryNetwork) -> None:
        await connect(bench, before="sk:on('connection',function(c) c:send('one') c:send('two') end)")
        await bench.type("sk:send('three') sk:send('four')", 2)
        assert b"".join(got) == b"onethree"
        got.clear()
        said = await lines(bench, f'sk=mk() sk:connect({PORT},"{PEER}") sk:send("early")', 3)
        assert said == [f"EV dns\tsk\t{PEER}", *CONNECTED] and got == []

    on_network(test, secure(CONTEXT, collect))


def test_a_long_string_goes_in_records_of_1460_bytes_and_makes_one_sent_event() -> None:
    records: list[int] = []
    total = bytearray()

    async def collect(stream: TlsStream) -> None:
        while data := await stream.read():
            records.append(len(data))
            total.extend(data)

    async def test(bench: Bench, _network: MemoryNetwork) -> None:
        await connect(bench)
        await bench.type("s='' for i=1,500 do s=s..string.format('%08d',i) end")
        assert await lines(bench, "sk:send(s)", 5) == ["EV sent\tsk"]
        assert records == [1460, 1460, 1080]
        assert bytes(total) == b"".join(b"%08d" % n for n in range(1, 501))

    on_network(test, secure(CONTEXT, collect))


def test_an_empty_string_is_sent_as_an_empty_record() -> None:
    async def test(bench: Bench, _network: MemoryNetwork) -> None:
        await connect(bench)
        assert await lines(bench, "sk:send('')", 2) == ["EV sent\tsk"]
        assert await lines(bench, "sk:send('x')", 2) == ["EV sent\tsk", "EV receive\t1\tx"]

    on_network(test, secure(CONTEXT))


# --- receiving ---


def test_a_big_answer_comes_whole_in_pieces_of_at_most_1460_bytes() -> None:
    answer = bytes(range(256)) * 200

    async def answers(stream: TlsStream) -> None:
        await stream.read()
        stream.write(answer)
        await stream.close()

    async def test(bench: Bench, _network: MemoryNetwork) -> None:
        await bench.type("n,most,sum=0,0,0 function take(_,d) n=n+#d if #d>most then most=#d end")
        await bench.type("for i=1,#d,97 do sum=(sum+d:byte(i)*i)%65521 end end")
        await connect(bench, before="sk:on('receive',take)")
        assert await lines(bench, "sk:send('go')", 10) == ["EV sent\tsk", "EV disconnection\tnil"]
        assert await lines(bench, "=n,most") == [f"{len(answer)}\t1460"]

    on_network(test, secure(CONTEXT, answers))


def test_hold_holds_nothing_and_unhold_crashes() -> None:
    async def answers(stream: TlsStream) -> None:
        while await stream.read():
            stream.write(b"x" * 3000)

    async def test(bench: Bench, _network: MemoryNetwork) -> None:
        await connect(bench)
        said = await lines(bench, "sk:hold() sk:send('go')", 3)
        assert [line.split("\t")[1] for line in said if "receive" in line] == ["1460", "1460", "80"]
        assert bench.resets == []
        await bench.type("sk:unhold()", 3)
        assert (bench.resets[0].raw, bench.resets[0].extended) == (2, 2)

    on_network(test, secure(CONTEXT, answers))


def test_unhold_without_hold_is_harmless() -> None:
    async def test(bench: Bench, _network: MemoryNetwork) -> None:
        await connect(bench)
        assert await lines(bench, "sk:unhold() sk:send('x')", 2) == ["EV sent\tsk", "EV receive\t1\tx"]

    on_network(test, secure(CONTEXT))


# --- closing in callbacks ---


def test_closing_inside_connection_or_sent_is_a_disconnection() -> None:
    async def test(bench: Bench, _network: MemoryNetwork) -> None:
        said = await connect(bench, before="sk:on('connection',function(c) c:close() c:close() end)")
        assert said == ["EV disconnection\tnil"]
        await connect(bench, before="sk:on('sent',function(c) print('sent') c:close() end)")
        said = await lines(bench, "sk:send('x')", 3)
        assert said[:1] == ["sent"] and said[-1] == "EV disconnection\tnil"

    on_network(test, secure(CONTEXT))


def test_closing_inside_receive_ends_as_a_failed_connection() -> None:
    """The glue goes on reading from the closed socket; its error turns the event into a reconnection."""

    async def answers(stream: TlsStream) -> None:
        await stream.read()
        stream.write(b"y" * 2000)
        await stream.read()

    async def test(bench: Bench, _network: MemoryNetwork) -> None:
        await bench.type("function r(c,d) print('got',#d) c:close() end")
        await connect(bench, before="sk:on('receive',r)")
        # What was decrypted with the same record is still delivered.
        assert await lines(bench, "sk:send('go')", 3) == [
            "EV sent\tsk",
            "got\t1460",
            "got\t540",
            "EV reconnection\tsk\tnil",
        ]
        assert await connect(bench) == CONNECTED

    on_network(test, secure(CONTEXT, answers))


def test_a_send_after_close_turns_the_disconnection_into_a_reconnection() -> None:
    async def test(bench: Bench, _network: MemoryNetwork) -> None:
        await connect(bench)
        assert await lines(bench, "sk:close() sk:send('x')", 3) == ["EV reconnection\tsk\tnil"]

    on_network(test, secure(CONTEXT))


def test_close_while_tcp_connects_and_while_the_handshake_waits() -> None:
    async def silent(stream: Any) -> None:
        await stream.read()

    async def test(bench: Bench, _network: MemoryNetwork) -> None:
        said = await lines(bench, f'sk=mk() sk:connect({PORT},"{PEER}") sk:close()', 3)
        assert said == [f"EV dns\tsk\t{PEER}", "EV disconnection\tnil"]
        assert await connect(bench) == []
        assert await lines(bench, "sk:close()", 3) == ["EV disconnection\tnil"]

    on_network(test, silent)


def test_a_peer_that_hangs_up_in_the_handshake_is_a_disconnection() -> None:
    async def short(stream: Any) -> None:
        await stream.read(10)
        stream.write_eof()

    async def test(bench: Bench, _network: MemoryNetwork) -> None:
        assert await connect(bench) == ["EV disconnection\tnil"]

    on_network(test, short)


@pytest.mark.parametrize(
    "answer", [b"HTTP/1.0 400 Bad Request\r\n\r\n", b"\x16\x03\x03\x40\x00" + bytes(10), b"\0" * 50]
)
def test_a_peer_that_does_not_speak_tls_is_a_reconnection(answer: bytes) -> None:
    async def plain(stream: Any) -> None:
        await stream.read(10)
        stream.write(answer)
        await stream.read()

    async def test(bench: Bench, _network: MemoryNetwork) -> None:
        assert await connect(bench) == FAILED

    on_network(test, plain)


# --- limits ---


def test_three_connections_at_a_time_and_the_fourth_says_nothing() -> None:
    async def test(bench: Bench, _network: MemoryNetwork) -> None:
        await bench.type("all={} for i=1,4 do all[i]=tls.createConnection()")
        await bench.type("all[i]:on('connection',function() print('on',i) end) end")
        said = await lines(bench, f'for i=1,4 do all[i]:connect({PORT},"{PEER}") end', 5)
        assert sorted(said) == ["on\t1", "on\t2", "on\t3"]
        await bench.type("all[1]:close()", 2)
        await bench.type("sk=tls.createConnection() sk:on('connection',function() print('on',5) end)")
        assert await lines(bench, f'sk:connect({PORT},"{PEER}")', 3) == ["on\t5"]

    on_network(test, secure(CONTEXT), heap=81_000)


def test_with_too_little_heap_nothing_happens_and_the_object_is_stuck() -> None:
    async def test(bench: Bench, _network: MemoryNetwork) -> None:
        await bench.type("t={} while node.heap()>18200 do t[#t+1]=('x'):rep(500)..#t end")
        assert await connect(bench) == []
        assert await heap(bench) < NEEDED_HEAP + 500
        assert await lines(bench, f'=pcall(sk.connect,sk,{PORT},"{PEER}")') == ["false\talready connected"]

    on_network(test, secure(CONTEXT))


def test_a_handshake_for_which_the_heap_runs_out_fails() -> None:
    async def test(bench: Bench, _network: MemoryNetwork) -> None:
        free = await heap(bench)
        await bench.type("t={} while node.heap()>20500 do t[#t+1]=('x'):rep(500)..#t end")
        assert await connect(bench) == FAILED
        await bench.type("t=nil", 12)
        assert abs(await heap(bench) - free) < 2600
        assert await connect(bench) == CONNECTED

    on_network(test, secure(server_context(identity("rsa"))))


def test_heap_of_an_open_connection_and_after_it() -> None:
    async def test(bench: Bench, _network: MemoryNetwork) -> None:
        await bench.type("sk=mk()")
        before = await heap(bench)
        await bench.type(f'sk:connect({PORT},"{PEER}")', 12)
        fixed = ESP_TCP + ESPCONN_MSG + OPEN_AEAD + NETCONN + sum(RING) + 176
        assert 0 <= before - await heap(bench) - fixed < 200
        await bench.type("sk:close()", 1)
        await asyncio.sleep(15)
        assert abs(await heap(bench) - before) < 100

    on_network(test, secure(CONTEXT))


@pytest.mark.parametrize(("kind", "least", "most"), [("ec", 2.0, 3.6), ("rsa", 1.2, 2.0)])
def test_a_handshake_takes_its_time_at_160_mhz_and_the_watchdog_does_not_bite(
    kind: str, least: float, most: float
) -> None:
    async def test(bench: Bench, _network: MemoryNetwork) -> None:
        await bench.type("sk=mk() sk:on('connection',function() print('ms',(tmr.now()-t)/1000,node.getcpufreq()) end)")
        said = await lines(bench, f't=tmr.now() sk:connect({PORT},"{PEER}")', 8)
        milliseconds, mhz = said[-1].split("\t")[1:]
        assert least * 1000 < float(milliseconds) < most * 1000 and mhz == "80"
        assert bench.resets == []

    on_network(test, secure(server_context(identity(kind))), cpu=1)


def test_a_handshake_beside_a_plain_connection_that_moves_data() -> None:
    """With the heap of a real board, a server with a large key, and a CPU that takes its time."""

    async def test(bench: Bench, network: MemoryNetwork) -> None:
        network.serve(PEER, 7001, plain_echo)
        await bench.type("n=0 tcp=net.createConnection() tcp:on('receive',function(c,d) n=n+#d c:send(d) end)")
        await bench.type(f"tcp:on('connection',function(c) c:send(('x'):rep(1000)) end) tcp:connect(7001,'{PEER}')", 2)
        moved = int((await lines(bench, "=n"))[0])
        assert moved > 0
        await bench.type("sk=mk()")
        said = await lines(bench, f'sk:connect({PORT},"{PEER}")', 6)
        assert said[1:] == CONNECTED
        assert int((await lines(bench, "=n"))[0]) > moved
        assert await lines(bench, "sk:send('x')", 2) == ["EV sent\tsk", "EV receive\t1\tx"]

    on_network(test, secure(server_context(identity("rsa"))), cpu=1)


def test_forty_connections_leave_nothing_behind() -> None:
    async def test(bench: Bench, _network: MemoryNetwork) -> None:
        await bench.type(f"n=0 function again() n=n+1 if n<=40 then sk:connect({PORT},'{PEER}') end end")
        await bench.type("sk=tls.createConnection() sk:on('connection',function(c) c:send('x') end)")
        await bench.type("sk:on('receive',function(c) node.task.post(function() c:close() end) end)")
        await bench.type("sk:on('disconnection',function() again() end)")
        before = await heap(bench)
        await bench.type("again()", 20, 60)
        await asyncio.sleep(15)
        assert await lines(bench, "=n") == ["41"]
        assert abs(await heap(bench) - before) < 200

    on_network(test, secure(CONTEXT))
