"""What another user may leave in the folder of all: nobody waits for it, falls over it, or does what it says."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bridge.cli.rack_table import line
from bridge.cli.rack_watch import look
from bridge.errors import PlaceBusy, PortNotFound
from bridge.rack import Rack, RackFile
from bridge.rack.health import failures, heal, quarantined
from bridge.rack.model import Place
from bridge.rack.stale import Watch, started
from bridge.rack.state import board_key
from tests.rack.users import ONE, needs_root
from tests.rack.witness import witness

HUGE = "1" + "0" * 400
STRANGE = [
    "", "null", "[]", "{}", "[" * 60_000, '{"a":' * 20_000, "\0\xff", f'{{"at": {HUGE}}}',
    f'{{"kind": "failure", "at": {HUGE}, "what": "x"}}',  '{"kind": "failure", "at": 1}',
    '{"kind": "failure", "at": 253402300799, "what": "x"}',
    '{"kind": "failure", "at": Infinity, "what": "x"}', '{"kind": "healed", "at": NaN}', '{"kind": "odd", "at": 1}',
    '{"wants": ["KEY"], "count": Infinity, "ttl": 30}', '{"wants": ["KEY"], "count": -9, "ttl": Infinity}',
    f'{{"wants": ["KEY"], "count": {HUGE}, "ttl": {HUGE}}}', '{"wants": 3, "count": 1, "ttl": 1}',
    f'{{"pid": {HUGE}, "since": {HUGE}, "ttl": {HUGE}, "generation": {HUGE}, "keeper": {HUGE}}}',
    '{"pid": 1, "since": "x", "ttl": "x", "command": "\\u001b[2J", "user": 3, "ended": 7, "purpose": "\\u001b]0;x"}',
    '{"pid": Infinity, "since": NaN, "doing": 3, "heap": Infinity, "url": 3, "device": 3}',
    '{"url": "/dev/no-such-port", "device": null}',
]  # fmt: skip


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """A file that another process would find locked."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(descriptor)


async def use(rack: Rack, folder: Path) -> None:
    """All that looks at those files."""
    rack.status()
    for row in look(rack)[0]:
        assert "\x1b" not in line(row, time.time())
    with pytest.raises(PlaceBusy) as busy:
        await rack.claim(timeout=0.05)
    assert "\x1b" not in str(busy.value)
    failures(rack.places[0], folder=folder)
    assert quarantined(rack.places[0], folder=folder) is None


def leave(folder: Path, key: str, kind: str, text: str | None) -> Path:
    path = folder / (f"1.2.3.{ONE}.turn" if kind == "turn" else f"{key}.{ONE}.{kind}")
    path.unlink(missing_ok=True)
    if text is None:
        os.mkfifo(path)
    else:
        path.write_text(text.replace("KEY", key), encoding="latin-1")
    return path


@pytest.mark.parametrize("mac", [None, "5c:cf:7f:00:00:01"])
def test_whatever_lies_in_the_folder_is_passed_over(tmp_path: Path, mac: str | None) -> None:
    async def scenario(url: str) -> None:
        place = Place(name="a", port=url, mac=mac)
        rack = Rack(RackFile(version=1, places=[place]), folder=tmp_path)
        key = board_key(place)
        with locked(leave(tmp_path, key, "lock", "")):
            for text in [*STRANGE, None]:
                for kind in ("lease", "health", "where", "doing"):
                    leave(tmp_path, key, kind, text)
                with locked(leave(tmp_path, key, "turn", text)):
                    await use(rack, tmp_path)
        for text in [*STRANGE, None]:
            for kind in ("lease", "where"):
                leave(tmp_path, key, kind, text)
            async with await rack.claim(timeout=20) as lease:
                assert lease.generation > 0

    with witness() as seen:
        asyncio.run(scenario(f"socket://127.0.0.1:{seen.port}"))


def test_one_file_that_cannot_be_read_hides_no_other(tmp_path: Path) -> None:
    place = Place(name="a", port="socket://127.0.0.1:1")
    rack = Rack(RackFile(version=1, places=[place]), folder=tmp_path)
    for user in (1, 3):
        path = tmp_path / f"{board_key(place)}.{user}.health"
        path.write_text(json.dumps({"kind": "failure", "at": user, "what": f"failure {user}"}) + "\n")
    (tmp_path / f"{board_key(place)}.2.health").mkdir()
    (tmp_path / f"{board_key(place)}.4.health").symlink_to(tmp_path / "nowhere")
    assert [each.what for each in failures(place, folder=tmp_path)] == ["failure 1", "failure 3"]
    assert len(rack.status().places[0].failures) == 2


@needs_root
def test_a_record_makes_nobody_end_a_process_of_another_user(tmp_path: Path) -> None:
    """The one who holds the lock names a process as his keeper: it has to be his."""
    with subprocess.Popen(["sleep", "60"]) as victim:
        victim.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, victim.pid, os.WSTOPPED)
        base = tmp_path / f"a.{ONE}"
        lock = Path(f"{base}.lock")
        lock.touch()
        os.utime(lock, (1, 1))
        said = {"keeper": victim.pid, "keeper_started": started(victim.pid), "ttl": 0.001, "user": "one"}
        Path(f"{base}.lease").write_text(json.dumps(said))
        os.chown(lock, ONE, ONE)
        watch = Watch()
        assert watch.look(str(base)) is None and watch.look(str(base)) is None
        victim.send_signal(signal.SIGCONT)
        os.waitid(os.P_PID, victim.pid, os.WCONTINUED)
        assert victim.poll() is None
        victim.kill()


def test_a_failure_from_a_clock_that_was_wrong_is_healed_too(tmp_path: Path) -> None:
    """A computer without a clock of its own may have been in the future when it started."""
    place = Place(name="a", port="socket://127.0.0.1:1")
    ahead = [{"kind": "failure", "at": time.time() + 86400 + number, "what": "x"} for number in range(3)]
    (tmp_path / f"{board_key(place)}.{ONE}.health").write_text("".join(f"{json.dumps(each)}\n" for each in ahead))
    assert quarantined(place, folder=tmp_path) is not None
    heal(place, folder=tmp_path)
    assert quarantined(place, folder=tmp_path) is None
    rack = Rack(RackFile(version=1, places=[place]), folder=tmp_path)
    with pytest.raises(PortNotFound):
        asyncio.run(rack.claim())
    assert len(failures(place, folder=tmp_path)) == 1
