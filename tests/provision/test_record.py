from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.errors import UsageError
from bridge.provision.record import Records, default_folder
from tests.provision.plans import MAC, done


def test_what_is_kept_is_read_again_by_its_owner_only(tmp_path: Path) -> None:
    records = Records(tmp_path / "boards")
    assert records.read(MAC) is None
    records.write(done())
    assert records.read(MAC) == done()
    assert Records(records.folder).read(MAC) == done()
    assert {path.stat().st_mode & 0o777 for path in records.folder.iterdir()} == {0o600}
    assert records.folder.stat().st_mode & 0o777 == 0o700
    records.write(done(ready=None))
    assert records.read(MAC) == done(ready=None)
    assert [path.name for path in records.folder.iterdir()] == ["5ccf7f000001.json"]


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"version": 2}', '{"version": 1, "mac": "x", "firmware": []}'])
def test_a_file_that_is_not_whole_is_as_none(tmp_path: Path, text: str) -> None:
    records = Records(tmp_path)
    (tmp_path / "5ccf7f000001.json").write_text(text)
    assert records.read(MAC) is None


def test_the_record_of_another_board_is_none(tmp_path: Path) -> None:
    records = Records(tmp_path)
    records.write(done())
    (tmp_path / "5ccf7f000001.json").rename(tmp_path / "5ccf7f000002.json")
    assert records.read("5c:cf:7f:00:00:02") is None


def test_the_key_is_made_once(tmp_path: Path) -> None:
    records = Records(tmp_path / "boards")
    key = records.key()
    assert len(key) == 32 and records.key() == key == Records(records.folder).key()
    assert (records.folder / "key").stat().st_mode & 0o777 == 0o600


def test_a_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="cannot be written .*XDG_STATE_HOME"):
        Records(tmp_path / "file").write(done())
    with pytest.raises(UsageError):
        Records(tmp_path / "file").key()


def test_where_they_are(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert default_folder() == tmp_path / "nodemcu-bridge" / "boards"
    monkeypatch.setenv("XDG_STATE_HOME", "not/absolute")
    assert default_folder() == Path.home() / ".local/state/nodemcu-bridge/boards"


def test_the_board_that_a_file_called_so_the_last_time(tmp_path: Path) -> None:
    records = Records(tmp_path / "boards")
    assert records.named("one", "/dev/x") is None
    for number, mac in enumerate((MAC, "5c:cf:7f:00:00:02", MAC)):
        records.write(replace(done(), mac=mac, name="one", port="/dev/x"))
        os.utime(records.folder / f"{mac.replace(':', '')}.json", (number, number))
        assert (found := records.named("one", "/dev/x")) is not None and found.mac == mac
    assert records.named("one", "/dev/y") is None and records.named("two", "/dev/x") is None
