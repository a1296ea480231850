from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bridge.rack import board_lock
from bridge.rack.board_lock import bases, locked_by, prepare_folder, take_lock

HOLD = """import sys
from bridge.rack.board_lock import take_lock
lock = take_lock(*sys.argv[1:3])
print(lock is not None, flush=True)
input()
"""


def test_one_process_has_it_and_it_goes_with_that_process(tmp_path: Path) -> None:
    folder = str(tmp_path)
    with subprocess.Popen([sys.executable, "-c", HOLD, folder, "a"], stdin=-1, stdout=-1, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "True\n"
        assert take_lock(folder, "a") is None
        assert locked_by(folder, "a") == str(tmp_path / f"a.{os.getuid()}")
        assert (lock := take_lock(folder, "b")) is not None
        lock.release()
        other.kill()
        other.wait()
        assert locked_by(folder, "a") is None
        assert (lock := take_lock(folder, "a")) is not None
        lock.release()
        lock.release()


def test_another_user_s_file_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = str(tmp_path)
    first = take_lock(folder, "a")
    assert first is not None
    monkeypatch.setattr(board_lock.os, "getuid", lambda: os.geteuid() + 1)
    assert take_lock(folder, "a") is None
    first.release()
    second = take_lock(folder, "a")
    assert second is not None and second.path != first.path
    assert len(bases(folder, "a")) == 2
    second.release()


def test_a_lock_whose_file_was_taken_away_is_known_to_be_none(tmp_path: Path) -> None:
    lock = take_lock(str(tmp_path), "a")
    assert lock is not None and lock.is_ours()
    os.unlink(lock.path)
    assert not lock.is_ours()
    lock.release()


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / f"a.{os.getuid()}.lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError):
        take_lock(str(tmp_path), "a")
    assert not (tmp_path / "elsewhere").exists()


def test_names_do_not_run_into_each_other(tmp_path: Path) -> None:
    lock = take_lock(str(tmp_path), "tcp%20host%201")
    assert lock is not None
    assert locked_by(str(tmp_path), "tcp%20host%2010") is None
    lock.release()


def test_the_folder_is_for_all_users(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    prepare_folder(str(folder))
    prepare_folder(str(folder))
    assert folder.stat().st_mode & 0o7777 == 0o1777
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError):
        prepare_folder(str(tmp_path / "file"))
