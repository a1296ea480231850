from __future__ import annotations

from pathlib import Path

import pytest

from bridge.rack.record import last_generation, read_record, write_record


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    base = str(tmp_path / "a.0")
    assert read_record(base) is None
    write_record(base, {"generation": 3, "purpose": "ü"})
    assert read_record(base) == {"generation": 3, "purpose": "ü"}
    assert (tmp_path / "a.0.lease").stat().st_mode & 0o777 == 0o644
    write_record(str(tmp_path / "a.1"), {"generation": 5})
    assert last_generation([base, str(tmp_path / "a.1"), str(tmp_path / "a.2")]) == 5


@pytest.mark.parametrize("text", ["", "[1]", '{"generation": ', "[" * 5000, "\xff"])
def test_what_is_no_record_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.0.lease").write_text(text, encoding="latin-1")
    assert read_record(str(tmp_path / "a.0")) is None
    assert last_generation([str(tmp_path / "a.0")]) == 0


def test_one_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    with pytest.raises(OSError):
        write_record(str(tmp_path / "nowhere" / "a"), {})
    assert [*tmp_path.iterdir()] == []
