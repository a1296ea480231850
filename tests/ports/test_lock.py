from __future__ import annotations

import asyncio
import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bridge.errors import PortBusy
from bridge.ports import lock
from bridge.ports.lock import Holder, hold_port, lock_key, own_command, take_port
from bridge.ports.open import open_port
from tests.ports.test_serial import Master

HOLD = """import sys
from bridge.ports.lock import take_port
held = take_port(sys.argv[1])
print("held", flush=True)
input()
"""


@contextmanager
def another_process(url: str) -> Iterator[subprocess.Popen[str]]:
    """A process that holds a port until its standard input ends."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, url], stdin=-1, stdout=-1, text=True)
    assert process.stdout is not None and process.stdin is not None
    try:
        assert process.stdout.readline() == "held\n"
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


@pytest.fixture
def path() -> Iterator[str]:
    master = Master()
    yield master.path
    master.close()


@pytest.mark.parametrize("url", ["PATH", "rfc2217://127.0.0.1:2217", "socket://board.example:23"])
def test_another_process_is_told_who_holds_it_and_it_is_free_when_that_ends(url: str, path: str) -> None:
    url = path if url == "PATH" else url
    with another_process(url) as process:
        with pytest.raises(PortBusy) as caught:
            take_port(url)
        assert f"{url} is in use by PID {process.pid} (python) since " in str(caught.value)
        assert caught.value.remedy == "Wait for it or stop it."
        # Killed: nothing of that process cleans anything up.
        process.send_signal(signal.SIGKILL)
        process.wait()
        take_port(url).release()


def test_opening_takes_it_and_closing_gives_it_back(path: str) -> None:
    async def scenario() -> None:
        with another_process(path):
            with pytest.raises(PortBusy, match="is in use by PID"):
                await open_port(path)
        port = await open_port(path)
        other = [sys.executable, "-c", HOLD, path]
        refused = await asyncio.to_thread(subprocess.run, other, capture_output=True, text=True, input="")
        assert f"is in use by PID {os.getpid()}" in refused.stderr
        await port.close()
        with another_process(path):
            pass

    asyncio.run(scenario())


def test_a_port_that_is_lost_is_free(path: str) -> None:
    async def scenario() -> None:
        master = Master()
        port = await open_port(master.path)
        lost = asyncio.Event()
        port.set_receiver(lambda data: None, lambda error: lost.set())
        assert master.path in lock._HELD
        master.close()
        await lost.wait()
        await port.close()
        assert master.path not in lock._HELD

    asyncio.run(scenario())


def test_a_port_that_does_not_open_is_not_kept(tmp_path: Path) -> None:
    before = dict(lock._HELD)
    for url in ("/dev/null", "rfc2217://127.0.0.1:9", "/dev/nosuchport"):
        with pytest.raises(Exception):  # noqa: B017  whatever it is
            asyncio.run(open_port(url))
    assert before == lock._HELD


def test_one_process_may_take_it_twice_and_has_it_until_both_gave_it_back(path: str) -> None:
    other = [sys.executable, "-c", HOLD, path]
    with hold_port(path):
        with hold_port(path):
            pass
        assert subprocess.run(other, capture_output=True, input=b"").returncode == 1
    assert subprocess.run(other, capture_output=True, input=b"\n").returncode == 0


def test_all_names_of_a_port_are_one(path: str, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(path)
    assert lock_key(str(tmp_path / "link")) == lock_key(path) == path
    assert (
        lock_key("RFC2217://LocalHost:7")
        == lock_key("rfc2217://[::1]:7?ign_set_control")
        == lock_key("socket://127.0.0.1:7")
    )
    assert lock_key("rfc2217://127.0.0.1:8") != lock_key("rfc2217://127.0.0.1:7")


@pytest.mark.parametrize(
    "url", ["virtual:", "VIRTUAL:?lua=5.3", "/dev/nosuchport", "http://x", "rfc2217://x:y", "", "a\0b"]
)
def test_what_is_not_locked(url: str) -> None:
    assert lock_key(url) is None
    take_port(url).release()


def test_another_user_holds_it(path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = take_port(path, tmp_path)
    # The same process as somebody else sees it: another number, and nothing in its own books.
    monkeypatch.setattr(lock, "_user", lambda: 4242)
    monkeypatch.setattr(lock, "_HELD", {})
    with pytest.raises(PortBusy, match=f"in use by PID {os.getpid()}"):
        take_port(path, tmp_path)
    monkeypatch.undo()
    mine.release()
    files = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
    assert set(files.values()) == {0o644} and len(files) == 3  # two locks, of which one has had a holder


def test_a_folder_that_cannot_be_used_keeps_nobody_from_his_board(path: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "no" / "folder", Path("/proc")):
        take_port(path, folder).release()


@pytest.mark.parametrize(
    "content", [None, "", "[]", "{}", '{"pid": "x", "command": "c", "since": 1}', '{"pid": 1, "command": 1}',
                '{"pid": 1, "command": "c", "since": 1e300}', '{"pid": 999999999999, "command": "c", "since": 1}'],
)  # fmt: skip
def test_what_stands_beside_a_lock_may_be_anything(
    content: str | None, path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = take_port(path, tmp_path)
    [holder] = tmp_path.glob("*.holder")
    holder.unlink() if content is None else holder.write_text(content)
    monkeypatch.setattr(lock, "_HELD", {})
    with pytest.raises(PortBusy, match="is in use by another nodemcu-bridge"):
        take_port(path, tmp_path)
    monkeypatch.undo()
    mine.release()


def test_a_name_that_would_play_with_the_terminal(path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = take_port(path, tmp_path)
    [holder] = tmp_path.glob("*.holder")
    holder.write_text(json.dumps({"pid": os.getpid(), "command": "\x1b[2Jx" * 50, "since": 0}))
    monkeypatch.setattr(lock, "_HELD", {})
    with pytest.raises(PortBusy) as caught:
        take_port(path, tmp_path)
    assert "\x1b" not in str(caught.value) and len(str(caught.value)) < 200 and "1970" in str(caught.value)
    monkeypatch.undo()
    mine.release()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["/usr/bin/nodemcu-bridge", "repl", "--port", "x"], "nodemcu-bridge repl"),
        (["/x/bridge/cli/__main__.py", "exec", "wifi.sta.config{pwd='secret'}"], "nodemcu-bridge exec"),
        (["/usr/bin/nodemcu-bridge", "pwd='secret'"], "nodemcu-bridge"),
        (["/home/me/my program.py", "secret"], "my program.py"),
        ([""], "python"),
        (["-c", "secret"], "python"),
        ([], "python"),
    ],
)
def test_a_process_tells_its_command_and_no_argument(arguments: list[str], said: str) -> None:
    assert own_command(arguments) == said


def test_since_is_the_time_of_day() -> None:
    import time

    now = time.time()
    assert str(Holder(7, "x", now)) == f"PID 7 (x) since {time.strftime('%H:%M', time.localtime(now))}"
