"""`tls.socket` as Lua sees it."""

from __future__ import annotations

import asyncio

import pytest

from bridge.virtual.lwip.memnet import MemoryNetwork
from bridge.virtual.lwip.memstream import MemoryStream
from tests.virtual.asked import answers
from tests.virtual.bench import Bench
from tests.virtual.modules.net_bench import PEER, lines
from tests.virtual.modules.tls_bench import (
    CONNECTED,
    PORT,
    TlsStream,
    connect,
    identity,
    on_network,
    secure,
    server_context,
)

MODULES = "node,tls,net,tmr,uart"
ECHO = secure(server_context(identity()))


def error_of(line: str, lua: str = "5.1") -> str:
    """What a call raises."""
    said = answers("sk=tls.createConnection()", f"=select(2,pcall(function() {line} end))", modules=MODULES, lua=lua)
    return said[1].removeprefix("stdin:1: ")


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("sk.connect(1)", "bad argument #1 to 'connect' (tls.socket expected, got number)"),
        ("sk:connect()", "bad argument #1 to 'connect' (number expected, got no value)"),
        ("sk:connect('x')", "bad argument #1 to 'connect' (number expected, got string)"),
        ("sk:connect(0)", "invalid port"),
        ("sk:connect(65536)", "invalid port"),
        ("sk:on()", "bad argument #1 to 'on' (string expected, got no value)"),
        ("sk:on('connect',print)", "invalid method"),
        ("sk:on('sent')", "invalid callback function"),
        ("sk:on('sent',1)", "invalid callback function"),
        ("sk:send()", "bad argument #1 to 'send' (string expected, got no value)"),
        ("sk.close()", "bad argument #1 to 'close' (tls.socket expected, got no value)"),
        ("sk.close(net.createConnection())", "bad argument #1 to 'close' (tls.socket expected, got userdata)"),
        ("sk:dns('x',print)", "attempt to call method 'dns' (a nil value)"),
        ("sk:ttl()", "attempt to call method 'ttl' (a nil value)"),
        ("sk:getaddr()", "attempt to call method 'getaddr' (a nil value)"),
    ],
)
def test_what_is_refused(line: str, error: str) -> None:
    assert error_of(line) == error


def test_methods_of_a_socket_that_is_not_connected_do_nothing() -> None:
    said = answers(
        "sk=tls.createConnection()",
        "print(sk:send('x'),sk:close(),sk:hold(),sk:unhold())",
        "=sk:getpeer()",
        "=sk:on('sent',nil)",
        modules=MODULES,
    )
    assert said == ["", "nil\tnil\tnil", "nil\tnil", ""]


def test_getpeer_is_address_then_port_and_a_second_connect_is_refused() -> None:
    async def test(bench: Bench, _network: MemoryNetwork) -> None:
        assert await connect(bench) == CONNECTED
        assert await lines(bench, "=sk:getpeer()") == [f"{PEER}\t{PORT}"]
        assert await lines(bench, f'=pcall(sk.connect,sk,{PORT},"{PEER}")') == ["false\talready connected"]

    on_network(test, ECHO)


def test_a_name_is_looked_up_and_one_that_does_not_resolve_kills_the_object() -> None:
    async def test(bench: Bench, _network: MemoryNetwork) -> None:
        said = await lines(bench, f'sk=mk() sk:connect({PORT},"server.test")', 3)
        assert said == [f"EV dns\tsk\t{PEER}", *CONNECTED]
        await bench.type("sk=mk()")
        assert await lines(bench, f'sk:connect({PORT},"nowhere.test")', 15) == ["EV dns\tsk\tnil"]
        # What the connection was allocated with is never given back: the object is dead.
        assert await lines(bench, f'=pcall(sk.connect,sk,{PORT},"{PEER}")') == ["false\talready connected"]
        assert await lines(bench, "=sk:getpeer()") == [f"0.0.0.0\t{PORT}"]

    on_network(test, ECHO)


def test_an_error_in_the_dns_callback_of_an_address_goes_through_connect() -> None:
    async def test(bench: Bench, _network: MemoryNetwork) -> None:
        await bench.type("sk=tls.createConnection() sk:on('dns',function() error('no',0) end)")
        assert await lines(bench, f'=pcall(sk.connect,sk,{PORT},"{PEER}")', 3) == ["false\tno"]

    on_network(test, ECHO)


@pytest.mark.parametrize("event", ["connection", "sent", "receive", "disconnection", "reconnection", "dns"])
def test_an_error_in_a_callback_is_a_panic(event: str) -> None:
    async def rude(stream: TlsStream) -> None:
        stream.write(b"data")
        await stream.read()
        if event == "reconnection":
            stream.stream.abort()
        else:
            await stream.close()

    async def test(bench: Bench, _network: MemoryNetwork) -> None:
        await bench.type(f"sk=tls.createConnection() sk:on('{event}',function() error('on purpose') end)")
        if event != "connection":
            await bench.type("sk:on('connection',function(c) c:send('x') end)")
        host = "server.test" if event == "dns" else PEER
        said = await bench.type(f'sk:connect({PORT},"{host}")', 8, 60)
        assert "PANIC: unprotected error in call to Lua API (stdin:1: on purpose)" in said
        assert (bench.resets[0].raw, bench.resets[0].extended) == (4, 3)

    on_network(test, secure(server_context(identity()), rude))


def test_a_disconnection_passes_nil_and_the_object_can_connect_again() -> None:
    async def short(stream: TlsStream) -> None:
        stream.write(b"bye")
        await stream.close()

    async def test(bench: Bench, _network: MemoryNetwork) -> None:
        said = await connect(bench)
        assert said == [*CONNECTED, "EV receive\t3\tbye", "EV disconnection\tnil"]
        await bench.type("n=0 sk:on('disconnection',function(c) n=n+1 print('disc',c,sk:getpeer())")
        await bench.type(f"if n<3 then print(sk:connect({PORT},'{PEER}')) end end)")
        said = await lines(bench, f'sk:connect({PORT},"{PEER}")', 5)
        assert said.count("disc\tnil\tnil\tnil") == 3 and said.count(CONNECTED[0]) == 3

    on_network(test, secure(server_context(identity()), short))


def test_a_peer_that_closes_tcp_without_a_farewell_is_a_disconnection_too() -> None:
    async def short(stream: TlsStream) -> None:
        stream.stream.close()

    async def test(bench: Bench, _network: MemoryNetwork) -> None:
        assert await connect(bench) == [*CONNECTED, "EV disconnection\tnil"]

    on_network(test, secure(server_context(identity()), short))


@pytest.mark.parametrize(("say", "reason"), [("reset", "Connection reset"), ("refuse", "Connection reset")])
def test_a_reset_is_a_reconnection_with_its_reason(say: str, reason: str) -> None:
    async def rude(stream: TlsStream) -> None:
        stream.stream.abort()

    async def test(bench: Bench, _network: MemoryNetwork) -> None:
        before = [] if say == "refuse" else CONNECTED
        port = PORT + 9 if say == "refuse" else PORT
        assert await connect(bench, port) == [*before, f"EV reconnection\tsk\t{reason}"]
        # Both objects and sockets are free again.
        assert await connect(bench, port) == [*before, f"EV reconnection\tsk\t{reason}"]

    on_network(test, secure(server_context(identity()), rude))


def test_a_peer_that_answers_nothing_is_a_reconnection_without_a_reason() -> None:
    async def test(bench: Bench, _network: MemoryNetwork) -> None:
        said = await lines(bench, f'sk=mk() sk:connect({PORT},"10.77.0.99")', 90)
        assert said == ["EV dns\tsk\t10.77.0.99", "EV reconnection\tsk\tnil"]

    on_network(test)


def test_a_socket_that_nobody_refers_to_lives_until_its_connection_ends() -> None:
    async def test(bench: Bench, _network: MemoryNetwork) -> None:
        await bench.type('do local c=tls.createConnection() c:on("connection",function() print("on") end)')
        await bench.type('c:on("disconnection",function() print("off") end)')
        assert await lines(bench, f'c:connect({PORT},"{PEER}") end', 2) == ["on"]
        assert await lines(bench, "collectgarbage()", 12) == ["off"]

    async def later(stream: TlsStream) -> None:
        await asyncio.sleep(10)
        await stream.close()

    on_network(test, secure(server_context(identity()), later))


def test_without_an_address_nothing_happens() -> None:
    async def test(bench: Bench, network: MemoryNetwork) -> None:
        seen: list[MemoryStream] = []

        async def server(stream: MemoryStream) -> None:
            seen.append(stream)

        network.serve(PEER, PORT, server)
        await bench.type("wifi.sta.disconnect()", 2)
        assert await connect(bench) == []
        assert seen == [] and await lines(bench, "=sk:getpeer()") == [f"{PEER}\t{PORT}"]

    on_network(test)
