"""Leases under load: workers claim boards that several want, are killed and are stopped, and witnesses look on.

python -m tests.campaigns.leases --leases 2000 --kills 50 --stops 40 --seed 1

Each board stands behind a witness (`tests/rack/witness.py`), which is no part of what leases are made of: it takes
every connection and notes whose tokens come. A lease has a name of its own for its tokens, so that a name which comes
again after another one has come shows two holders. Workers are processes of their own; a chance that is seeded says
which of them is killed or stopped, when, and for how long. How processes are scheduled is not in the seed.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import fcntl
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bridge.child_python import module_environment
from bridge.errors import BridgeError, LeaseLost
from bridge.rack import Rack
from tests.rack.witness import Witness

ROOT = Path(__file__).parents[2]
#: Seconds within which everything is to be over: a campaign that hangs is a failure.
_LONGEST_S = 3600.0
#: Of the virtual boards: with what a holder that was cut off has in the sockets here, a line of 115 200 baud
#: would be busy for seconds.
FAST = ("--no-baud-pacing", "--cpu", "0")


@dataclass
class Sum:
    """What a campaign saw."""

    leases: int = 0
    kills: int = 0
    stops: int = 0
    lost: int = 0
    """Leases that were lost; each has a holder that was stopped."""
    lost_unasked: list[str] = field(default_factory=list)
    """Those that were lost although nobody stopped their holder."""
    wrong: list[str] = field(default_factory=list)
    """What must not be."""
    freed: list[float] = field(default_factory=list)
    """Seconds from a kill until the board is free."""
    after_stop: list[float] = field(default_factory=list)
    """Seconds from a stop beyond the time to live until the board is free."""
    seconds: float = 0.0

    def __str__(self) -> str:
        def longest(times: list[float]) -> str:
            return f"{max(times):.2f} s at most, {sum(times) / len(times):.2f} s on average" if times else "none"

        return "\n".join(
            [
                f"{self.leases} leases in {self.seconds:.0f} s, {self.kills} holders killed, {self.stops} stopped",
                f"freed after a kill: {longest(self.freed)}",
                f"freed after a stop: {longest(self.after_stop)}",
                f"{self.lost} leases lost by being stopped, {len(self.lost_unasked)} unasked",
                *self.lost_unasked[:10],
                f"{len(self.wrong)} things are wrong",
                *self.wrong[:10],
            ]
        )


async def work(number: int, folder: Path, ttl: float, seed: int, urls: list[str]) -> None:
    """A worker: claims, writes and gives back, until its standard input ends."""
    rack = Rack.of_ports(urls, folder=folder, ttl=ttl)
    chance = random.Random(seed)
    ended = asyncio.create_task(asyncio.to_thread(sys.stdin.readline))
    turn = 0
    while not ended.done():
        turn += 1
        name = f"{number}.{seed}.{turn}"
        try:
            lease = await rack.claim(purpose=name, timeout=300)
        except BridgeError as error:
            print("failed", name, "-", type(error).__name__, error, flush=True)
            continue
        place = lease.place.name
        print("leased", name, place, lease.generation, flush=True)
        try:
            port = await lease.open_port()
            port.set_receiver(lambda data: None)
            until = time.monotonic() + chance.choice((0.0, 0.0, 0.02, 0.1, 0.3))
            token = 0
            while not token or time.monotonic() < until:
                token += 1
                port.write(f"--<{name}:{token}>\r\n".encode())
                await (port.drain() if token % 8 else asyncio.sleep(0))
            await lease.release()
            print("released", name, place, flush=True)
        except LeaseLost as error:
            print("lost", name, place, error, flush=True)
            with contextlib.suppress(BridgeError):
                await lease.release()
        except BridgeError as error:
            print("failed", name, place, type(error).__name__, error, flush=True)
            await lease.release()


class _Worker:
    """One worker's process, and what it has said."""

    def __init__(self, number: int, process: asyncio.subprocess.Process) -> None:
        self.number, self.process = number, process
        self.holds: tuple[str, str] | None = None
        """Name of the lease, and place."""
        self.stopped: set[str] = set()
        """Leases during which it was stopped."""
        self.is_stopped = False


class Campaign:
    """A run.

    Args:
        workers: how many claim.
        boards: host and TCP port of each board; None for a witness alone.
        leases: to be given in all.
        kills: holders to be killed.
        stops: holders to be stopped and let go on.
        ttl: of leases, in seconds.
        seed: of all chance.
        told: gets a line now and then.
    """

    def __init__(
        self,
        *,
        workers: int,
        boards: list[tuple[str, int] | None],
        leases: int,
        kills: int,
        stops: int,
        ttl: float,
        seed: int,
        told: Callable[[str], None] = lambda line: None,
    ) -> None:
        self._witnesses = [Witness(board) for board in boards]
        scheme = "socket" if boards[0] is None else "rfc2217"
        self._urls = [f"{scheme}://127.0.0.1:{witness.port}" for witness in self._witnesses]
        self._places = {f"board-{number}": seen for number, seen in enumerate(self._witnesses, 1)}
        self._chance = random.Random(seed)
        self._wanted, self._ttl, self._seed = (workers, leases, kills, stops), ttl, seed
        self._workers: dict[int, _Worker] = {}
        self._started = 0
        self._readers: set[asyncio.Task[None]] = set()
        self._told = told
        self._news = asyncio.Event()
        self._given: dict[str, list[tuple[float, str]]] = {place: [] for place in self._places}
        self._over = False
        self.sum = Sum()

    async def run(self) -> Sum:
        """Play it to its end."""
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            self._folder = Path(folder)
            try:
                async with asyncio.timeout(_LONGEST_S):
                    await self._play()
                await self._none_orphaned()
            finally:
                for worker in self._workers.values():
                    with contextlib.suppress(ProcessLookupError):
                        worker.process.kill()
                    await worker.process.wait()
                await asyncio.gather(*self._readers, return_exceptions=True)
                for witness in self._witnesses:
                    witness.close()
        for place, witness in self._places.items():
            names = witness.names()
            twice = {name for name in names if names.count(name) > 1}
            self.sum.wrong += [f"{place}: tokens of {name} came after another holder's" for name in sorted(twice)]
        self.sum.seconds = time.monotonic() - began
        return self.sum

    async def _play(self) -> None:
        workers, leases, kills, stops = self._wanted
        for number in range(workers):
            await self._start(number)
        deeds = ["kill"] * kills + ["stop"] * stops
        self._chance.shuffle(deeds)
        # Spread over the run.
        due = sorted(self._chance.randrange(max(1, leases * 9 // 10)) for _ in deeds)
        running: set[asyncio.Task[None]] = set()
        shown = 0
        while self.sum.leases < leases or deeds or running:
            if deeds and self.sum.leases >= due[0] and (worker := self._victim()) is not None:
                due.pop(0)
                task = asyncio.create_task(self._kill(worker) if deeds.pop(0) == "kill" else self._stop(worker))
                running.add(task)
                task.add_done_callback(running.discard)
                task.add_done_callback(lambda task: self._news.set())
            self._news.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.5):
                    await self._news.wait()
            if self.sum.leases >= shown + 100:
                shown = self.sum.leases // 100 * 100
                self._told(f"{shown} leases, {self.sum.kills} killed, {self.sum.stops} stopped, {self.sum.lost} lost")
        self._over = True
        for worker in self._workers.values():
            assert worker.process.stdin is not None
            worker.process.stdin.close()
        await asyncio.gather(*(worker.process.wait() for worker in self._workers.values()))
        await asyncio.gather(*self._readers)

    async def _none_orphaned(self) -> None:
        rack = Rack.of_ports(self._urls, folder=self._folder, ttl=self._ttl)
        try:
            for lease in await rack.claim_many(len(self._urls), purpose="the end", timeout=self._ttl):
                await lease.release()
        except BridgeError as error:
            self.sum.wrong.append(f"at the end a board is not free: {error}")

    async def _start(self, number: int) -> None:
        self._started += 1
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.campaigns.leases", "--worker", str(number), str(self._folder), str(self._ttl),
            str(self._seed * 1000 + self._started), *self._urls,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, env=module_environment(), cwd=ROOT,
        )  # fmt: skip
        worker = self._workers[number] = _Worker(number, process)
        reader = asyncio.create_task(self._listen(worker))
        self._readers.add(reader)
        reader.add_done_callback(self._readers.discard)

    async def _listen(self, worker: _Worker) -> None:
        assert worker.process.stdout is not None
        while line := (await worker.process.stdout.readline()).decode():
            word, name, place, *rest = line.split()
            if word == "leased":
                worker.holds = name, place
                self.sum.leases += 1
                self._given[place].append((time.monotonic(), name))
            else:
                worker.holds = None
            if word == "lost":
                self.sum.lost += 1
                if name not in worker.stopped:
                    self.sum.lost_unasked.append(line.strip())
            elif word == "failed":
                self.sum.wrong.append(line.strip())
            self._news.set()

    def _victim(self) -> _Worker | None:
        holding = [each for each in self._workers.values() if each.holds is not None and not each.is_stopped]
        return self._chance.choice(holding) if holding else None

    async def _kill(self, worker: _Worker) -> None:
        worker.is_stopped = True  # nobody else's victim
        # A moment that is any moment of a lease.
        await asyncio.sleep(self._chance.random() * 0.05)
        with contextlib.suppress(ProcessLookupError):
            worker.process.kill()
        at = time.monotonic()
        self.sum.kills += 1
        await worker.process.wait()
        await self._start(worker.number)
        if worker.holds is not None:
            self.sum.freed.append(await self._freed(*worker.holds, at))

    async def _stop(self, worker: _Worker) -> None:
        worker.is_stopped = True
        await asyncio.sleep(self._chance.random() * 0.05)
        worker.process.send_signal(signal.SIGSTOP)
        at = time.monotonic()
        self.sum.stops += 1
        seconds = self._ttl * self._chance.uniform(0.2, 2.5)
        await asyncio.sleep(0.02)  # what it said before may still be on its way
        holds = worker.holds
        if holds is not None:
            worker.stopped.add(holds[0])
        try:
            if holds is not None and seconds > self._ttl * 1.5:
                freed = await self._freed(*holds, at)
                if worker.holds == holds:
                    self.sum.after_stop.append(freed)
            await asyncio.sleep(max(0.0, at + seconds - time.monotonic()))
        finally:
            worker.is_stopped = False
            worker.process.send_signal(signal.SIGCONT)

    async def _freed(self, name: str, place: str, at: float) -> float:
        """Seconds from `at` until the lock of a place is free, or the next one has a lease of it already."""
        given, port = self._given[place], self._places[place].port
        mine = next(number for number, (_, who) in enumerate(given) if who == name)
        while time.monotonic() < at + 60.0:
            if len(given) > mine + 1:
                return given[mine + 1][0] - at
            if _is_free(self._folder, port):
                return time.monotonic() - at
            await asyncio.sleep(0.01)
        self.sum.wrong.append(f"{place} was not free 60 s after {name}")
        return 60.0


def _is_free(folder: Path, port: int) -> bool:
    """True if nobody has the lock of a place, asked of the system itself."""
    for path in folder.glob(f"*%20{port}.*.lock"):
        with path.open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except OSError:
                return False
    return True


def main(arguments: list[str]) -> int:
    """The command; see the module."""
    if arguments[:1] == ["--worker"]:
        number, folder, ttl, seed, *urls = arguments[1:]
        asyncio.run(work(int(number), Path(folder), float(ttl), int(seed), urls))
        return 0
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=8)
    parser.add_argument("--boards", type=int, default=4)
    parser.add_argument("--leases", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--stops", type=int, default=40)
    parser.add_argument("--ttl", type=float, default=2.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--no-boards", action="store_true", help="witnesses alone")
    given = parser.parse_args(arguments)
    with contextlib.ExitStack() as stack:
        boards: list[tuple[str, int] | None] = [None] * given.boards
        if not given.no_boards:
            from tests.board_process import announced, board_process

            shelf = stack.enter_context(board_process("--rfc2217", "127.0.0.1:0", "--shelf", str(given.boards), *FAST))
            boards = [("127.0.0.1", int(announced(shelf)[1].rpartition(":")[2])) for _ in boards]
        found = asyncio.run(
            Campaign(
                workers=given.workers, boards=boards, leases=given.leases, kills=given.kills, stops=given.stops,
                ttl=given.ttl, seed=given.seed, told=lambda line: print(line, flush=True),
            ).run()
        )  # fmt: skip
    print(found)
    return 1 if found.wrong or found.lost_unasked else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
