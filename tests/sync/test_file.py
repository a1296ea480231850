from __future__ import annotations

import pytest

from bridge import sync
from bridge.errors import HandleClosed
from bridge.sync.face import inward


def test_files(shared: sync.Board) -> None:
    data = bytes(range(256)) * 30
    assert shared.file.putcontents("a.bin", data) is True
    assert shared.file.getcontents("a.bin") == data and shared.file.list("a%.bin") == {"a.bin": len(data)}
    opened = shared.file.open("a.bin", "r")
    assert isinstance(opened, sync.FileObject) and inward(opened.remote) is opened
    with opened as file:
        assert file.read(5000) == data[:5000] and file.seek("end") == len(data) and file.readline() is None
    with pytest.raises(HandleClosed):
        file.read()
    assert shared.file.open("nosuch") is None
    shared.file.format()
    assert shared.file.list() == {}
