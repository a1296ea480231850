from __future__ import annotations

import fcntl
import os
from pathlib import Path

from bridge.ports.file_lock import is_locked
from bridge.rack.board_lock import prepare_folder
from tests.rack.users import ONE, needs_root, run_as, shared_folder

LOOK = "import sys; from bridge.ports.file_lock import is_locked; print(is_locked(sys.argv[1]))"


def test_a_file_is_locked_as_long_as_somebody_has_it(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    assert not is_locked(str(path)), "there is none"
    with path.open("w") as file:
        assert not is_locked(str(path))
        fcntl.flock(file, fcntl.LOCK_EX)
        assert is_locked(str(path))
    assert not is_locked(str(path))


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "link").symlink_to(tmp_path / "fifo")
    assert not is_locked(str(tmp_path / "fifo")) and not is_locked(str(tmp_path / "link"))


@needs_root
def test_what_another_user_cannot_look_at_is_not_free() -> None:
    with shared_folder() as folder:
        prepare_folder(str(folder))
        (folder / "a.lock").touch(0o600)
        assert run_as(ONE, LOOK, folder / "a.lock").stdout == "True\n"
        (folder / "a.lock").chmod(0o644)
        assert run_as(ONE, LOOK, folder / "a.lock").stdout == "False\n"
