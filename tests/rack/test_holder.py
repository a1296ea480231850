"""bridge/rack/holder.py: this process's end of its keeper."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from bridge.child_python import module_environment
from bridge.errors import LeaseLost
from bridge.rack import Rack
from bridge.rack.board_lock import locked_by
from bridge.rack.holder import Holder, of_this_process
from tests.rack.witness import witness

FORK = """
import asyncio, os, sys, time
from pathlib import Path
from bridge.errors import LeaseLost
from bridge.rack import Rack

async def main():
    lease = await Rack.of_ports(sys.argv[1:2], folder=Path(sys.argv[2]), ttl=600).claim()
    child = os.fork()
    if child:
        os.write(1, b"claimed\\n")  # at once, as both write
        time.sleep(600)
    try:
        lease.check()
    except LeaseLost as error:
        os.write(1, f"child: {error}\\n".encode())
    time.sleep(600)

asyncio.run(main())
"""


def test_a_fork_has_no_lease_and_does_not_keep_its_parent_s_alive(tmp_path: Path) -> None:
    with witness() as seen:
        url = f"socket://127.0.0.1:{seen.port}"
        command = [sys.executable, "-c", FORK, url, str(tmp_path)]
        with subprocess.Popen(
            command, stdout=-1, text=True, env=module_environment(), start_new_session=True
        ) as process:
            assert process.stdout is not None
            said = {process.stdout.readline(), process.stdout.readline()}
            process.kill()
            assert "claimed\n" in said
            assert any("it belongs to the process that this one was forked from" in line for line in said)
            board = next(tmp_path.glob("*.lock")).name.removesuffix(f".{os.getuid()}.lock")
            while locked_by(str(tmp_path), board) is not None:
                time.sleep(0.01)  # long before 600 s
            os.killpg(process.pid, 9)


def test_one_keeper_for_all_leases_of_a_process_on_any_event_loop(tmp_path: Path) -> None:
    with witness() as one, witness() as other:
        urls = [f"socket://127.0.0.1:{seen.port}" for seen in (one, other)]
        rack = Rack.of_ports(urls, folder=tmp_path)
        leases = asyncio.run(rack.claim_many(2))
        keeper = of_this_process()
        for lease in leases:
            lease.check()
            asyncio.run(lease.release())
        assert of_this_process() is keeper


def test_who_finds_himself_late_by_the_clock_gives_up_before_he_says_another_word(tmp_path: Path) -> None:
    with witness() as seen:
        rack = Rack.of_ports([f"socket://127.0.0.1:{seen.port}"], folder=tmp_path, ttl=600)
        lease = asyncio.run(rack.claim())
        holder = of_this_process()
        holder._said_at -= 601  # as if the process had been stopped
        with pytest.raises(LeaseLost, match=r"this process stood still for 60\d\.\d s, and 600 s are allowed"):
            lease.check()
        # The keeper has been told, which may have stood still as well.
        again = asyncio.run(rack.claim(timeout=20))
        assert again.generation == 2
        asyncio.run(again.release())
        asyncio.run(lease.release())


def take_away(folder: Path, url: str) -> None:
    next(path for path in folder.glob("*.lock") if url.rpartition(":")[2] in path.name).unlink()


def test_one_lease_is_waited_for_until_it_is_lost(tmp_path: Path) -> None:
    async def scenario(urls: list[str]) -> None:
        leases = await Rack.of_ports(urls, folder=tmp_path, ttl=2).claim_many(3)
        leases.sort(key=lambda lease: lease.place.name)
        waiting = [asyncio.create_task(lease.until_lost()) for lease in leases]
        await asyncio.sleep(0)
        take_away(tmp_path, urls[1])  # found out with the next sign of life
        async with asyncio.timeout(20):
            await waiting[1]
        with pytest.raises(LeaseLost, match="the file of its lock was taken away"):
            leases[1].check()
        leases[0].check()
        assert not waiting[0].done() and not waiting[2].done()
        of_this_process()._process.kill()
        async with asyncio.timeout(20):
            await waiting[0]
        assert not waiting[2].done(), "a board of this process cannot be lost"
        waiting[2].cancel()
        for lease in leases:
            await lease.release()

    with witness() as one, witness() as other:
        asyncio.run(scenario([*(f"socket://127.0.0.1:{seen.port}" for seen in (one, other)), "virtual:"]))


def test_a_child_may_give_back_though_another_thread_was_busy_when_it_was_forked(tmp_path: Path) -> None:
    with witness() as seen:
        rack = Rack.of_ports([f"socket://127.0.0.1:{seen.port}"], folder=tmp_path, ttl=600)
        lease = asyncio.run(rack.claim())
        holder = of_this_process()
        locked, done = threading.Event(), threading.Event()

        def keep_locked() -> None:
            with holder._lock, holder._lines._lock:
                locked.set()
                done.wait(20)

        thread = threading.Thread(target=keep_locked)
        thread.start()
        locked.wait()
        child = os.fork()
        if child == 0:
            try:
                signal.alarm(10)
                asyncio.run(lease.release())
                os._exit(0)
            finally:
                os._exit(1)
        done.set()
        thread.join()
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        lease.check()
        asyncio.run(lease.release())


def test_closing_ends_the_keeper() -> None:
    holder = Holder()
    holder.close()
    assert holder.is_gone
    assert holder._process.returncode == 0
    assert holder.ask({"do": "beat"}).result(1)["gone"]
