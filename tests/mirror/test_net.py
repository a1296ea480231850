from __future__ import annotations

import asyncio
import warnings

import pytest

from bridge.errors import LuaError, UsageError
from bridge.mirror.net import Net
from bridge.mirror.table import HandleTable
from bridge.mirror.tcp import TCPServer, TCPSocket
from bridge.mirror.tls import TLSSocket
from bridge.mirror.udp import UDPSocket
from bridge.wire.values import Handle
from tests.mirror.caller import FakeCaller, make_table


def make_net() -> tuple[FakeCaller, Net]:
    caller, table, _ = make_table()

    async def tables() -> HandleTable:
        return table

    return caller, Net(tables)


def quiet() -> None:
    """From here on a warning is an error."""
    warnings.simplefilter("error")


def test_objects_are_made_by_the_agents_own_functions() -> None:
    async def main() -> None:
        caller, net = make_net()
        assert repr(net) == "<module net>"
        caller.replies = {"@net.socket": (Handle(1),), "@net.server": (Handle(2),), "@net.udp": (Handle(3),)}
        with warnings.catch_warnings():
            quiet()
            assert isinstance(await net.createConnection(), TCPSocket)
            assert isinstance(await net.createConnection(net.TCP), TCPSocket)
            assert isinstance(await net.createConnection(net.TCP, 0), TCPSocket)
            assert isinstance(await net.createServer(), TCPServer)
            assert isinstance(await net.createServer(60), TCPServer)
            assert isinstance(await net.createUDPSocket(), UDPSocket)
        assert [(target, *values) for target, values in caller.calls] == [
            *[("@net.socket",)] * 3, ("@net.server", "30"), ("@net.server", "60"), ("@net.udp",)
        ]  # fmt: skip

    asyncio.run(main())


def test_the_older_forms_give_what_the_document_says_with_one_warning() -> None:
    async def main() -> None:
        caller, net = make_net()
        caller.replies = {
            "@net.socket": (Handle(1),), "@net.server": (Handle(2),), "@net.udp": (Handle(3),),
            "@tls.socket": (Handle(4),),
        }  # fmt: skip
        for form, kind, call in (
            (lambda: net.createConnection(net.TCP, 1), TLSSocket, ("@tls.socket",)),
            (lambda: net.createConnection(net.UDP), UDPSocket, ("@net.udp",)),
            (lambda: net.createConnection(net.UDP, 0), UDPSocket, ("@net.udp",)),
            (lambda: net.createServer(net.TCP), TCPServer, ("@net.server", "30")),
            (lambda: net.createServer(net.TCP, 60), TCPServer, ("@net.server", "60")),
            (lambda: net.createServer(net.UDP), UDPSocket, ("@net.udp",)),
            (lambda: net.createServer(net.UDP, 30), UDPSocket, ("@net.udp",)),
        ):
            with pytest.warns(DeprecationWarning) as seen:
                made = await form()
            assert type(made) is kind and len(seen) == 1 and seen[0].filename == __file__
            target, values = caller.calls[-1]
            assert (target, *values) == call
        with pytest.warns(DeprecationWarning, match="tls.cert") as seen:
            assert net.cert is net._tls.cert
        assert len(seen) == 1 and seen[0].filename == __file__

    asyncio.run(main())


def test_wrong_arguments_reach_no_board() -> None:
    async def main() -> None:
        caller, net = make_net()
        for wrong in (
            lambda: net.createConnection(3), lambda: net.createConnection(net.UDP, 1), lambda: net.createServer(0),
            lambda: net.createServer(net.TCP, 30_000), lambda: net.createServer(30, 30),
            lambda: net.dns.resolve("a\0b"), lambda: net.dns.getdnsserver(2**40),
            lambda: net.dns.setdnsserver("8.8.8.8\0"), lambda: net.multicastJoin("any", "224.0.0.1\0"),
            lambda: net.multicastLeave("\0", "224.0.0.1"), lambda: net.ifinfo(0.5),
            lambda: net.ping("a\0b", print),
        ):  # fmt: skip
            with pytest.raises(UsageError):
                await wrong()  # type: ignore[no-untyped-call]
        assert caller.calls == []

    asyncio.run(main())


def test_ping() -> None:
    async def main() -> None:
        caller, net = make_net()
        seen: list[object] = []
        await net.ping("host.test", 2, lambda *values: seen.append(values))
        target, (host, count, answered) = caller.calls[-1]
        assert (target, host, count) == ("net.ping", "host.test", 2)
        answered(32, b"10.0.0.1", 1, 3)
        await asyncio.sleep(0)
        assert seen == [(32, "10.0.0.1", 1, 3)]

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
