from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bridge.rack.changes import Changes

HOLD = "import fcntl, sys; file = open(sys.argv[1], 'r+'); fcntl.flock(file, 2); print(1, flush=True); sys.stdin.read()"


def sees(changes: Changes, change: Callable[[], object]) -> None:
    """That a wait that began before a change ends by it."""
    timer = threading.Timer(0.05, change)
    timer.start()
    began = time.monotonic()
    changes.wait(0.01, 60)
    assert time.monotonic() - began < 50, "it ended by itself"
    timer.join()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has inotify")
def test_what_happens_in_a_folder_ends_the_wait(tmp_path: Path) -> None:
    (tmp_path / "a.lock").write_text("")
    with Changes([tmp_path]) as changes:
        with subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path / "a.lock")], stdin=-1, stdout=-1) as holder:
            assert holder.stdout is not None and holder.stdout.readline()
            sees(changes, holder.kill)
        sees(changes, lambda: (tmp_path / "new").write_text("x"))
        sees(changes, lambda: os.replace(tmp_path / "new", tmp_path / "other"))
        sees(changes, (tmp_path / "other").unlink)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has inotify")
def test_signs_of_life_and_looks_are_no_changes(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    path.write_text("")
    with Changes([tmp_path]) as changes:
        os.utime(path)
        with path.open() as file:
            fcntl.flock(file, fcntl.LOCK_SH)
        began = time.monotonic()
        changes.wait(0, 0.2)
        assert time.monotonic() - began >= 0.2


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has inotify")
def test_a_folder_that_comes_later_is_watched_then(tmp_path: Path) -> None:
    folder = tmp_path / "later" / "still"
    with Changes([folder]) as changes:
        sees(changes, folder.parent.mkdir)
        sees(changes, folder.mkdir)
        sees(changes, (folder / "a").touch)


def test_what_cannot_be_watched_is_waited_for_a_while(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folders in ([], [tmp_path / "file"]):
        with Changes(folders) as changes:
            changes.wait(0.01, 60)
            changes.wait(0.01, 60)
