from __future__ import annotations

import threading
from pathlib import Path

import pytest

from bridge import sync
from bridge.errors import NoSuchFile

DATA = bytes(range(256)) * 20


def test_files_whole(shared: sync.Board, tmp_path: Path) -> None:
    shared.file.format()
    told: list[tuple[object, ...]] = []
    threads: set[str] = set()

    def show(*what: object) -> None:
        told.append(what)
        threads.add(threading.current_thread().name)

    written = shared.files.put("a.bin", DATA, told=show)
    assert (written.name, written.size) == ("a.bin", len(DATA)) and shared.files.ls() == {"a.bin": len(DATA)}
    assert shared.files.get("a.bin", told=show) == DATA and shared.files.holds("a.bin", DATA)
    assert shared.files.digest("a.bin")[0] == written.digest
    shared.files.mv("a.bin", "b.bin")
    assert shared.files.get_file("b.bin", tmp_path / "b.bin", told=show) == len(DATA)
    (tmp_path / "c.bin").write_bytes(b"c")
    assert shared.files.put_file(tmp_path / "c.bin", told=show).name == "c.bin"
    plan = shared.files.sync(tmp_path, delete=True, told=show)
    assert (plan.send, plan.same, plan.remove) == ([], ["b.bin", "c.bin"], [])
    (tmp_path / "c.bin").write_bytes(b"d")
    assert shared.files.sync(tmp_path, told=show).send == ["c.bin"]
    shared.files.rm("b.bin", "c.bin")
    shared.files.check_room({"a": b"x"})
    assert shared.files.df().used == 0 and shared.files.finished == ()
    assert (len(DATA), len(DATA)) in told and ("c.bin", 1, 1) in told
    assert len(threads) == 1 and threading.current_thread().name not in threads
    with pytest.raises(NoSuchFile):
        shared.files.get("b.bin")
    shared.files.format()
