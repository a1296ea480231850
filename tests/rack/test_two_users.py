"""Two real users on one rack: who is kept out, who is named, and what one of them may leave in the folder of both."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.rack import Rack
from bridge.rack.holder import of_this_process
from tests.rack.claimants import claimant
from tests.rack.users import ONE, TWO, needs_root, run_as, shared_folder
from tests.rack.witness import witness

pytestmark = needs_root


@pytest.fixture
def shared() -> Iterator[Path]:
    with shared_folder() as folder:
        yield folder


@pytest.mark.parametrize("umask", [0o022, 0o077])
@pytest.mark.parametrize("first, second", [(ONE, TWO), (None, ONE), (ONE, None)])
def test_one_has_it_and_the_other_is_told_who(shared: Path, first: int | None, second: int | None, umask: int) -> None:
    with witness() as seen:
        url = f"socket://127.0.0.1:{seen.port}"
        with (
            claimant("a", shared, 5, url, user=first, umask=umask) as a,
            claimant("b", shared, 5, url, user=second, umask=umask) as b,
        ):
            assert a.ask("claim")[0] == "leased"
            said = b.ask("claim", 0.2)
            assert said[:2] == ["error", "PlaceBusy"]
            assert f"PID {a.process.pid}" in " ".join(said), "its record can be read"
            a.ask("write", 1)
            assert a.ask("release") == ["released"]
            assert b.ask("claim", 20)[:3] == ["leased", "board-1", "2"]
            b.ask("write", 1)
            seen.wait_for("b", 1)
            assert seen.names() == ["a", "b"]


PUSH = """import socket, sys
with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as push:
    push.sendall(b"<stranger:1>")
"""


def push_and_hang_up(tcp_port: int) -> None:
    """As another user, and wait until the system shows the connection as root's."""
    run_as(ONE, PUSH, tcp_port)
    while ONE in users_of_connections_to(tcp_port):
        time.sleep(0.01)
    assert users_of_connections_to(tcp_port) == [0]


def users_of_connections_to(tcp_port: int) -> list[int]:
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return [int(row[7]) for row in rows if row[2] == f"0100007F:{tcp_port:04X}"]


def test_who_has_hung_up_before_he_is_looked_at_writes_nothing(shared: Path) -> None:
    """The system shows a connection whose program has closed it as root's."""

    async def scenario(url: str) -> None:
        rack = Rack.of_ports([url], folder=shared)
        async with await rack.claim() as lease:
            keeper = of_this_process()._process
            keeper.send_signal(signal.SIGSTOP)
            try:
                await asyncio.to_thread(push_and_hang_up, int(lease.url.rpartition(":")[2]))
            finally:
                keeper.send_signal(signal.SIGCONT)
            port = await lease.open_port()
            port.write(b"<holder:1>")
            await port.drain()

    with witness() as seen:
        asyncio.run(scenario(f"socket://127.0.0.1:{seen.port}"))
        seen.wait_for("holder", 1)
        assert seen.names() == ["holder"]
