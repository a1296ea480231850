"""What the objects of net have in common."""

from __future__ import annotations

import pytest

from bridge.virtual.lua.api import Args, LuaFault
from bridge.virtual.lwip.err import Err
from bridge.virtual.lwip.memnet import MemoryNetwork
from bridge.virtual.modules.net_object import check, check_user_data, place
from bridge.virtual.modules.net_tcp import TcpSocket
from tests.virtual.bench import Bench
from tests.virtual.modules.net_bench import lines, on_network


def test_errors_become_the_texts_of_the_release() -> None:
    check(Err.OK)
    with pytest.raises(LuaFault, match="address in use"):
        check(Err.USE)


def test_what_is_no_object_of_the_kind_is_invalid_user_data() -> None:
    for arguments in (Args(()), Args((None,)), Args((b"x",))):
        with pytest.raises(LuaFault, match="invalid user data"):
            check_user_data(arguments, TcpSocket)


def test_a_place_without_a_port_is_two_nils() -> None:
    assert place(0x7F000001, 80) == (80, b"127.0.0.1")
    assert place(0x7F000001, 0) == (None, None)


def test_an_object_in_use_refers_to_itself_and_a_closed_one_does_not() -> None:
    async def test(bench: Bench, network: MemoryNetwork) -> None:
        heap = "collectgarbage() collectgarbage() print(node.heap())"
        before = int((await lines(bench, heap))[0])
        await bench.type("do local k=net.createUDPSocket() k:listen(5000) K=k end K=nil collectgarbage()")
        assert await lines(bench, "=pcall(net.createUDPSocket().listen,net.createUDPSocket(),5000)") == [
            "false\taddress in use"
        ]
        await bench.type("do local k=net.createUDPSocket() k:listen(5001) k:close() end collectgarbage()")
        after = int((await lines(bench, heap))[0])
        assert 0 < before - after < 600

    on_network(test)
