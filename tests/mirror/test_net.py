from __future__ import annotations

import asyncio

import pytest

from bridge.errors import LuaError, UsageError
from bridge.mirror.net import Net
from bridge.mirror.table import HandleTable
from bridge.mirror.tcp import TCPServer, TCPSocket
from bridge.mirror.udp import UDPSocket
from bridge.wire.values import Handle
from tests.mirror.caller import FakeCaller, make_table


def make_net() -> tuple[FakeCaller, Net]:
    caller, table, _ = make_table()

    async def tables() -> HandleTable:
        return table

    return caller, Net(tables)


def test_objects_are_made_by_the_agents_own_functions() -> None:
    async def main() -> None:
        caller, net = make_net()
        caller.replies = {"@net.socket": (Handle(1),), "@net.server": (Handle(2),), "@net.udp": (Handle(3),)}
        assert isinstance(await net.createConnection(net.TCP, 0), TCPSocket)
        assert isinstance(await net.createConnection(net.UDP), TCPSocket), "as stock: the type is ignored"
        assert isinstance(await net.createServer(net.TCP, 30), TCPServer)
        assert isinstance(await net.createUDPSocket(), UDPSocket)
        assert [(target, *values) for target, values in caller.calls] == [
            ("@net.socket",), ("@net.socket",), ("@net.server", "1"), ("@net.udp",)
        ]  # fmt: skip
        with pytest.raises(UsageError, match="no encrypted connection"):
            await net.createConnection(net.TCP, 1)

    asyncio.run(main())


def test_resolve_with_and_without_callback() -> None:
    async def main() -> None:
        caller, net = make_net()
        seen: list[object] = []

        def answer(host: str, callback: object) -> tuple[()]:
            asyncio.get_running_loop().call_soon(callback, None, None if host == "nobody.test" else b"1.2.3.4")  # type: ignore[arg-type]
            return ()

        caller.replies["net.dns.resolve"] = answer
        assert await net.dns.resolve("host.test") == "1.2.3.4"
        assert await net.dns.resolve("nobody.test") is None
        assert await net.dns.resolve("host.test", lambda socket, ip: seen.append((socket, ip))) is None
        await asyncio.sleep(0)
        assert seen == [(None, "1.2.3.4")]
        caller.replies["net.dns.resolve"] = LuaError("illegal argument")
        with pytest.raises(LuaError):
            await net.dns.resolve("")

    asyncio.run(main())


def test_servers_interfaces_and_groups() -> None:
    async def main() -> None:
        caller, net = make_net()
        caller.replies["net.dns.getdnsserver"] = (b"208.67.222.222",)
        assert await net.dns.getdnsserver() == "208.67.222.222"
        caller.replies["net.dns.getdnsserver"] = (None,)
        assert await net.dns.getdnsserver(1) is None
        await net.dns.setdnsserver("10.0.0.1", 1)
        assert caller.calls[-1] == ("net.dns.setdnsserver", ("10.0.0.1", 1))
        caller.replies["net.ifinfo"] = (
            {b"ip": b"10.0.0.2", b"hwaddr": b"\x01\x02\x03\x04\x05\x06", b"dhcp": {b"server_ip": b"10.0.0.1"}},
        )
        assert await net.ifinfo() == {
            "ip": "10.0.0.2", "hwaddr": b"\x01\x02\x03\x04\x05\x06", "dhcp": {"server_ip": "10.0.0.1"}
        }  # fmt: skip
        caller.replies["net.ifinfo"] = ()
        assert await net.ifinfo(1) is None
        await net.multicastJoin("", "224.0.0.251")
        await net.multicastLeave("any", "224.0.0.251")
        assert [target for target, _ in caller.calls[-2:]] == ["net.multicastJoin", "net.multicastLeave"]

    asyncio.run(main())
