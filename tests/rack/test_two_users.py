"""Two real users on one rack: who is kept out, who is named, and what one of them may leave in the folder of both."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.rack import Rack
from bridge.rack.holder import of_this_process
from bridge.rack.state import board_key
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


FAIL = """import os, sys
os.umask(0o077)
from pathlib import Path
from bridge.rack.health import Evidence, record_failure
from bridge.rack.model import Place
place = Place(name="a", port="socket://127.0.0.1:9")
for number in range(int(sys.argv[2])):
    record_failure(place, Evidence(f"failure {number}"), folder=Path(sys.argv[1]))
"""
HEAL = """import os, sys
os.umask(0o077)
from pathlib import Path
from bridge.rack.health import heal, quarantined
from bridge.rack.model import Place
place = Place(name="a", port="socket://127.0.0.1:9")
print(quarantined(place, folder=Path(sys.argv[1])) is not None)
heal(place, folder=Path(sys.argv[1]))
"""


def test_failures_of_all_users_are_one_row_and_each_may_heal_a_place(shared: Path) -> None:
    rack = Rack.of_ports(["socket://127.0.0.1:9"], folder=shared)
    run_as(ONE, FAIL, shared, 2)
    assert rack.status().places[0].state == "free"
    run_as(TWO, FAIL, shared, 1)
    found = rack.status().places[0]
    assert found.state == "quarantined" and {each.user for each in found.failures} == {str(ONE), str(TWO)}
    assert run_as(TWO, HEAL, shared).stdout == "True\n"
    assert rack.status().places[0].state == "free"
    assert run_as(None, HEAL, shared).stdout == "False\n"


def test_a_rack_of_one_user_alone_says_so_to_others(shared: Path) -> None:
    folder = shared / "private"
    folder.mkdir(mode=0o700)
    with claimant("b", folder, 5, "socket://127.0.0.1:9", user=ONE) as b:
        said = " ".join(b.ask("claim"))
    assert said.startswith("error PlaceFailed socket://127.0.0.1:9: board-1 cannot be locked in ")
    assert "Permission denied" in said


@pytest.mark.parametrize("user", [TWO, None])
def test_a_lock_that_another_user_made_in_one_s_name_is_not_used(shared: Path, user: int | None) -> None:
    """Who made it could take it away, and lock another in its place."""
    rack = Rack.of_ports(["socket://127.0.0.1:9"], folder=shared)
    lock = shared / f"{board_key(rack.places[0])}.{user or os.getuid()}.lock"
    lock.touch(0o666)
    lock.chmod(0o666)
    os.chown(lock, ONE, ONE)
    with claimant("b", shared, 5, "socket://127.0.0.1:9", user=user) as b:
        said = " ".join(b.ask("claim"))
    assert said.startswith("error PlaceFailed socket://127.0.0.1:9: board-1 cannot be locked in ")


def test_a_folder_that_is_made_is_for_all_with_those_above_it_whatever_the_umask(shared: Path) -> None:
    folder = shared / "new" / "racks" / "state"
    with witness() as seen:
        url = f"socket://127.0.0.1:{seen.port}"
        with (
            claimant("a", folder, 5, url, umask=0o077) as a,
            claimant("b", folder, 5, url, user=ONE, umask=0o077) as b,
        ):
            assert a.ask("claim")[0] == "leased"
            assert b.ask("claim", 0.1)[:2] == ["error", "PlaceBusy"]
            a.ask("release")
            assert b.ask("claim", 20)[0] == "leased"
    assert folder.stat().st_mode & 0o7777 == 0o1777 and folder.parent.stat().st_mode & 0o7777 == 0o755
    assert [*folder.parent.iterdir()] == [folder]
