from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.child_python import module_environment
from bridge.errors import LeaseLost, PortLost
from bridge.labgrid_place.rack import LabgridRack
from bridge.rack.needs import Needs
from tests.labgrid_place.conftest import PATIENCE, until
from tests.labgrid_place.laboratory import Laboratory

pytestmark = PATIENCE
HOLDER = Path(__file__).with_name("holder.py")
#: Time to live in these tests, in seconds.
TTL = 2.0


@contextlib.contextmanager
def holder(lab: Laboratory, place: str, ttl: float = TTL) -> Iterator[tuple[subprocess.Popen[str], dict[str, object]]]:
    """A process that has a place, and what it says of its lease."""
    process = subprocess.Popen(
        [sys.executable, str(HOLDER), lab.coordinator, place, str(ttl)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=module_environment(),
    )  # fmt: skip
    try:
        assert process.stdout is not None
        yield process, json.loads(process.stdout.readline())
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGCONT)
        process.kill()
        process.communicate()


def gone(pid: int) -> bool:
    """True when a process has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def test_a_board_of_another_machine_is_leased_used_and_given_back(lab: Laboratory) -> None:
    async def main() -> None:
        rack = await LabgridRack.open(lab.coordinator, ttl=TTL)
        lease = await rack.claim(Needs(place="desk"))
        assert lease.name in lab.client("-p", "desk", "show")  # type: ignore[attr-defined]
        async with lease.open_board() as board:
            assert await board.eval("6*7") == 42
        lease.check()
        await lease.release()
        await lease.release()
        with pytest.raises(LeaseLost, match="desk is leased no more: it has been given back"):
            lease.check()
        assert "acquired: None" in lab.client("-p", "desk", "show")

    asyncio.run(main())


def test_one_whose_port_cannot_be_closed_is_given_back(lab: Laboratory) -> None:
    async def main() -> None:
        rack = await LabgridRack.open(lab.coordinator, ttl=300)
        lease = await rack.claim(Needs(place="shelf"))
        port = await lease.open_port()
        close = port.close

        async def fail() -> None:
            await close()
            raise PortLost("It cannot be closed")

        port.close = fail  # type: ignore[method-assign]
        with pytest.raises(PortLost):
            await lease.release()
        assert "acquired: None" in lab.client("-p", "shelf", "show")

    asyncio.run(main())


def test_a_holder_that_is_killed_leaves_nothing(lab: Laboratory) -> None:
    async def main() -> None:
        rack = await LabgridRack.open(lab.coordinator)
        with holder(lab, "shelf", ttl=300) as (process, said):
            process.kill()
            # Long before the time to live.
            async with await rack.claim(Needs(place="shelf"), timeout=30) as lease:
                async with lease.open_board() as board:
                    assert await board.eval("6*7") == 42
                assert gone(int(str(said["keeper"])))

    asyncio.run(main())


@pytest.mark.parametrize("place", ["desk", "shelf"])
def test_a_holder_that_is_stopped_loses_the_place_and_writes_no_byte_more(lab: Laboratory, place: str) -> None:
    async def main() -> None:
        rack = await LabgridRack.open(lab.coordinator)
        with holder(lab, place) as (process, _):
            assert process.stdin is not None and process.stdout is not None
            process.stdin.write("write\n")
            process.stdin.flush()
            assert process.stdout.readline() == "writing\n"
            process.send_signal(signal.SIGSTOP)
            async with await rack.claim(Needs(place=place), timeout=30) as lease:
                port = await lease.open_port()
                heard = bytearray()
                port.set_receiver(heard.extend)
                # What the ring and the line still hold of the old holder is over when the board has answered this.
                port.write(b"\nprint(6*7)\n")
                await until(lambda: b"\n42" in heard.replace(b"\r", b""))
                del heard[:]
                process.send_signal(signal.SIGCONT)
                said = await asyncio.to_thread(process.stdout.readline)
                assert said.startswith("LeaseLost: ") and ("stood still" in said or "was silent" in said)
                # The board echoes all that reaches it, and this after all that came before.
                port.write(b"print(6*8)\n")
                await until(lambda: b"48" in heard)
                assert b"old holder" not in heard
                await port.close()

    asyncio.run(main())


def test_who_takes_a_place_away_by_labgrid_ends_the_lease(lab: Laboratory) -> None:
    async def main() -> None:
        rack = await LabgridRack.open(lab.coordinator, ttl=60)
        lease = await rack.claim(Needs(place="shelf"))
        port = await lease.open_port()
        lost: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()
        port.set_receiver(lambda data: None, lost.set_result)
        await asyncio.to_thread(lab.client, "-p", "shelf", "release", "--kick")
        error = await lost  # not after the time to live: at once
        assert isinstance(error, LeaseLost) and "taken away" in str(error)
        with pytest.raises(LeaseLost):
            port.write(b"x")
        await port.close()
        await lease.release()

    asyncio.run(main())


def test_when_its_keeper_is_killed_the_holder_is_told(lab: Laboratory) -> None:
    async def main() -> None:
        rack = await LabgridRack.open(lab.coordinator, ttl=TTL)
        lease = await rack.claim(Needs(place="shelf"))
        port = await lease.open_port()
        lost: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()
        port.set_receiver(lambda data: None, lost.set_result)
        os.kill(lease.keeper, signal.SIGKILL)  # type: ignore[attr-defined]
        await lost
        with pytest.raises(LeaseLost, match="its keeper, the process that had the place, has ended"):
            while True:
                lease.check()
                await asyncio.sleep(0.01)
        await port.close()
        await lease.release()
        # Nobody prolongs it any more: who waits gives it back.
        async with await rack.claim(Needs(place="shelf"), timeout=60):
            pass

    asyncio.run(main())
