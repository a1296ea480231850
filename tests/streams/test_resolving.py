from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from bridge.errors import ArgumentRefused, DNSFailed
from bridge.streams.resolving import PATIENCE, is_address, port_number, resolve
from tests.streams.worlds import BoardWorld


@pytest.mark.parametrize(("port", "number"), [(80, 80), ("80", 80), ("http", 80), (0, 0), (65_535, 65_535)])
def test_ports(port: int | str, number: int) -> None:
    assert port_number(port, "tcp") == number


@pytest.mark.parametrize("port", [65_536, -1, 70_000, "70000", None, 80.0, "9" * 5_000, [80], 2**70, b"80"])
def test_what_is_no_port(port: Any) -> None:
    with pytest.raises(ArgumentRefused, match="is no port") as raised:
        port_number(port, "tcp")
    assert isinstance(raised.value, ValueError) and len(str(raised.value)) < 200


@pytest.mark.parametrize("port", ["nonsense", "", "-1", "80 ", "a\0b", "٨٠"])
def test_what_is_no_service(port: str) -> None:
    with pytest.raises(socket.gaierror):
        port_number(port, "tcp")


def test_addresses() -> None:
    assert is_address("10.0.0.1") and not is_address("::1") and not is_address("host") and not is_address("10.1")


@pytest.mark.world("board")
async def test_names(world: BoardWorld) -> None:
    world.network.zone |= {"host.test": "10.9.8.7", "xn--mnchen-3ya.test": "10.9.8.6"}
    assert await resolve(world.board.net, "10.1.2.3", "port") == "10.1.2.3"
    assert await resolve(world.board.net, "host.test", "port") == "10.9.8.7"
    assert await resolve(world.board.net, "münchen.test", "port") == "10.9.8.6"


HOSTILE = [
    "a..b",
    ".",
    "x" * 64,
    "x." * 130,
    "a" * 5_000,
    "\ud800",
    "a\0b",
    "::1",
    "fe80::1%eth0",
    "nobody.test",
    "a b",
]


@pytest.mark.world("board")
@pytest.mark.parametrize("host", HOSTILE, ids=range(len(HOSTILE)))
async def test_what_nobody_knows(world: BoardWorld, host: str) -> None:
    with pytest.raises(socket.gaierror) as raised:
        await resolve(world.board.net, host, "port")
    assert isinstance(raised.value, DNSFailed) and raised.value.errno == socket.EAI_NONAME
    str(raised.value).encode(errors="surrogateescape" if "\ud800" not in host else "surrogatepass")


@pytest.mark.world("board")
@pytest.mark.parametrize("host", ["", None, b"home", 5, ["a"]])
async def test_what_is_no_host(world: BoardWorld, host: Any) -> None:
    with pytest.raises(ArgumentRefused):
        await resolve(world.board.net, host, "port")


@pytest.mark.world("board")
async def test_a_name_that_nobody_knows_does_not_spoil_others_that_are_asked_for_at_once(world: BoardWorld) -> None:
    names = {f"host{number}.test": f"10.9.8.{number}" for number in range(1, 9)}
    world.network.zone |= names
    found = await asyncio.gather(
        *(resolve(world.board.net, name, "port") for name in ("nobody.test", *names)), return_exceptions=True
    )
    assert isinstance(found[0], DNSFailed) and found[1:] == [*names.values()]


@pytest.mark.world("board")
async def test_names_that_nobody_knows_do_not_hold_up_others_for_long(world: BoardWorld) -> None:
    world.network.zone["host.test"] = "10.9.8.7"
    loop = asyncio.get_running_loop()
    unknown = [asyncio.ensure_future(resolve(world.board.net, f"nobody{number}.test", "port")) for number in range(6)]
    await asyncio.sleep(0.1)
    began = loop.time()
    gone = asyncio.ensure_future(resolve(world.board.net, "given-up.test", "port"))
    known = asyncio.ensure_future(resolve(world.board.net, "host.test", "port"))
    await asyncio.sleep(0.1)
    gone.cancel()
    assert await known == "10.9.8.7"
    # Of the six those that the stack has room for beside one are out of its way after a moment each.
    assert loop.time() - began < 2 * 7.8 + 6 * PATIENCE, "in turn they take 47 s"
    ends = await asyncio.gather(*unknown, return_exceptions=True)
    assert all(isinstance(end, DNSFailed) for end in ends)
    assert loop.time() - began < 3 * 7.8 + 6 * PATIENCE
    began = loop.time()
    slow = asyncio.ensure_future(resolve(world.board.net, "nobody.test", "port"))
    await asyncio.sleep(0.1)
    assert await resolve(world.board.net, "host.test", "port") == "10.9.8.7"
    assert loop.time() - began < PATIENCE + 0.5
    with pytest.raises(DNSFailed):
        await slow


@pytest.mark.world("board")
async def test_all_slots_of_the_resolver_taken_by_others(world: BoardWorld) -> None:
    world.network.zone["host.test"] = "10.9.8.7"
    others = [asyncio.ensure_future(world.board.net.dns.resolve(f"nobody{number}.test")) for number in range(4)]
    await asyncio.sleep(0.2)
    assert await resolve(world.board.net, "host.test", "port") == "10.9.8.7"
    assert await asyncio.gather(*others) == [None] * 4
