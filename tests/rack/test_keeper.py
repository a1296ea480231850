"""bridge/rack/keeper.py, kept.py: the process, spoken to as its holder does, by lines of JSON."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bridge.child_python import module_command, module_environment
from bridge.rack.board_lock import locked_by
from bridge.rack.record import read_record
from tests.rack.test_relay import accept, read


class Keeper:
    def __init__(self) -> None:
        self.socket, theirs = socket.socketpair()
        self.process = subprocess.Popen(
            [*module_command("bridge.rack.keeper"), str(theirs.fileno())],
            pass_fds=[theirs.fileno()], env=module_environment(),
        )  # fmt: skip
        theirs.close()
        self.socket.settimeout(20)
        self._lines = self.socket.makefile("r")

    def say(self, **message: Any) -> None:
        self.socket.sendall(json.dumps(message).encode() + b"\n")

    def hear(self) -> dict[str, Any]:
        said = json.loads(self._lines.readline())
        assert isinstance(said, dict)
        return said

    def claim(self, folder: Path, *, number: int = 1, ttl: float = 30, seconds: float | None = None) -> None:
        self.say(
            do="claim", id=number, count=1, folder=str(folder), ttl=ttl, seconds=seconds, order=None,
            places=[{"name": "shelf-1", "board": "board", "port_lock": None}],
            about={"pid": os.getpid(), "user": "u", "host": "h", "command": "c", "purpose": "p"},
        )  # fmt: skip

    def serve(self, place: socket.socket, lease: int = 1) -> dict[str, Any]:
        self.say(do="serve", id=9, lease=lease, port="socket://x:1", port_lock=None, family=int(socket.AF_INET),
                 address=list(place.getsockname()))  # fmt: skip
        return self.hear()

    def close(self) -> None:
        self._lines.close()
        self.socket.close()


@contextmanager
def keeper() -> Iterator[Keeper]:
    made = Keeper()
    try:
        yield made
    finally:
        made.close()
        assert made.process.wait(20) in (0, -signal.SIGKILL)


def test_a_lease_from_claim_to_release(tmp_path: Path) -> None:
    with keeper() as one, socket.create_server(("127.0.0.1", 0)) as place:
        place.settimeout(10)
        one.claim(tmp_path)
        said = one.hear()
        assert said["got"] == [{"place": "shelf-1", "lease": 1, "generation": 1, "trouble": None}]
        tcp_port = one.serve(place)["tcp_port"]
        with accept(place) as there, socket.create_connection(("127.0.0.1", tcp_port)) as client:
            client.sendall(b"x")
            assert read(there, 1) == b"x"
        record = read_record(str(tmp_path / f"board.{os.getuid()}"))
        assert record is not None and record["port"] == "socket://x:1" and record["ended"] is None
        assert record["keeper"] == one.process.pid
        one.say(do="beat")
        assert one.hear() == {"beat": True}
        one.say(do="release", id=3, lease=1)
        assert one.hear() == {"id": 3, "released": True, "trouble": None}
        record = read_record(str(tmp_path / f"board.{os.getuid()}"))
        assert record is not None and record["ended"]["how"] == "released"
        assert locked_by(str(tmp_path), "board") is None
        one.say(do="release", id=4, lease=1)
        assert one.hear() == {"id": 4, "over": True}


def test_a_holder_that_says_nothing_loses_its_lease(tmp_path: Path) -> None:
    with keeper() as one:
        one.claim(tmp_path, ttl=1)
        assert "got" in one.hear()
        assert one.hear() == {"lost": 1, "why": "nothing was heard of its holder for 1 s"}
        while locked_by(str(tmp_path), "board") is not None:
            time.sleep(0.01)


def test_it_gives_all_back_and_ends_with_its_holder(tmp_path: Path) -> None:
    one = Keeper()
    one.claim(tmp_path)
    assert "got" in one.hear()
    one.close()
    assert one.process.wait(20) == 0
    record = read_record(str(tmp_path / f"board.{os.getuid()}"))
    assert record is not None and record["ended"]["how"] == "the holder ended"


def test_a_claim_waits_for_its_time_and_says_who_holds_it(tmp_path: Path) -> None:
    with keeper() as one, keeper() as other:
        one.claim(tmp_path)
        one.hear()
        other.claim(tmp_path, seconds=0.1)
        busy = other.hear()["busy"][0]
        assert (busy["place"], busy["held"], busy["by"]["purpose"]) == ("shelf-1", True, "p")
        other.claim(tmp_path, number=2)
        other.say(do="cancel", id=2)
        assert other.hear() == {"id": 2, "cancelled": True}
        other.claim(tmp_path, number=3, ttl=1)
        assert other.hear() == {"id": 3, "again": True}, "who waits and says nothing loses his turn"
        assert [*tmp_path.glob("*.turn")] == []


def test_a_lock_whose_file_is_taken_away_ends_the_lease(tmp_path: Path) -> None:
    with keeper() as one:
        one.claim(tmp_path)
        one.hear()
        next(tmp_path.glob("*.lock")).unlink()
        one.say(do="beat")
        assert one.hear() == {"lost": 1, "why": "the file of its lock was taken away"}


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with keeper() as one:
        one.claim(tmp_path / "file")
        assert one.hear() == {"id": 1, "trouble": "File exists"}


def test_it_starts_with_little() -> None:
    """What it imports is what its start costs: neither asyncio nor pyserial, nor what needs them."""
    script = "import sys, bridge.rack.keeper; print(*sorted(name.partition('.')[0] for name in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-P", "-c", script], env=module_environment(), stdout=-1, text=True, check=True
    )
    assert not {*done.stdout.split()} & {"asyncio", "serial", "pydantic", "yaml", "filelock", "logging", "subprocess"}
