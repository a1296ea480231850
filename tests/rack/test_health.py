from __future__ import annotations

import json
import logging
import os
from pathlib import Path

import pytest

from bridge.rack import health
from bridge.rack.health import Evidence, failures, heal, quarantined, record_failure, record_success
from bridge.rack.model import Place
from bridge.rack.state import board_key

PLACE = Place(name="shelf-1", port="socket://h:1")


def fail(folder: Path, what: str, at: float = 0) -> health.Quarantine | None:
    return record_failure(PLACE, Evidence(what, console="x" * 9000, at=at), folder=folder)


def test_three_failures_in_a_row_quarantine_a_place_until_it_is_healed(tmp_path: Path) -> None:
    assert fail(tmp_path, "one") is None
    assert fail(tmp_path, "two") is None
    found = fail(tmp_path, "three")
    assert found is not None and quarantined(PLACE, folder=tmp_path) == found
    assert [each.what for each in found.failures] == ["one", "two", "three"]
    assert len(found.failures[0].console) == 4000 and found.failures[0].port == "socket://h:1"
    assert "after 3 failures, the last: three" in str(found)
    record_success(PLACE, folder=tmp_path)
    assert quarantined(PLACE, folder=tmp_path) is not None, "only a person ends it"
    heal(PLACE, folder=tmp_path)
    assert quarantined(PLACE, folder=tmp_path) is None and failures(PLACE, folder=tmp_path) == ()


def test_all_that_is_kept_of_a_failure_is_without_secrets(tmp_path: Path) -> None:
    """Also where so little is kept of the console that what tells of the secret is cut away."""
    place = Place(name="shelf-1", port="virtual:?wifi=home:hunter22")
    console = 'wifi.sta.config{ssid="home", pwd="QXZJ' + "v" * 5000 + '"}\n'
    record_failure(place, Evidence("A prompt says 'password: hunter33'", console), folder=tmp_path)
    record_failure(place, Evidence("It is lost", port="rfc2217://me:hunter44@host:1"), folder=tmp_path)
    [file] = tmp_path.iterdir()
    for said in (file.name, file.read_text(), repr(failures(place, folder=tmp_path)), place.where):
        assert not any(secret in said for secret in ("hunter22", "hunter33", "hunter44", "vvv")), said
    assert failures(place, folder=tmp_path)[0].console == "*" * 3997 + '"}\n'


def test_what_works_between_breaks_the_row(tmp_path: Path) -> None:
    fail(tmp_path, "one")
    fail(tmp_path, "two")
    record_success(PLACE, folder=tmp_path)
    record_success(PLACE, folder=tmp_path)
    assert fail(tmp_path, "three") is None
    assert len(failures(PLACE, folder=tmp_path)) == 1
    lines = next(tmp_path.glob("*.health")).read_text().splitlines()
    assert [json.loads(line)["kind"] for line in lines] == ["failure", "failure", "success", "failure"]


def test_all_users_words_count_by_their_times(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fail(tmp_path, "one", at=1)
    monkeypatch.setattr(health.os, "getuid", lambda: 4321)
    fail(tmp_path, "two", at=2)
    assert len([*tmp_path.glob("*.health")]) == 2
    assert [each.what for each in failures(PLACE, folder=tmp_path)] == ["one", "two"]
    assert fail(tmp_path, "three", at=3) is not None
    heal(PLACE, folder=tmp_path)
    monkeypatch.undo()
    assert quarantined(PLACE, folder=tmp_path) is None


def test_lines_that_are_not_whole_are_passed_over(tmp_path: Path) -> None:
    fail(tmp_path, "one")
    with next(tmp_path.glob("*.health")).open("a") as file:
        file.write('{"kind": "failure"\n[]\n{"kind": 1, "at": 1}\n{"kind": "failure", "at": "x"}\n')
    assert len(failures(PLACE, folder=tmp_path)) == 1


def test_what_was_told_cannot_play_with_a_terminal(tmp_path: Path) -> None:
    fail(tmp_path, "\x1b[2Jgone\nand more")
    assert failures(PLACE, folder=tmp_path)[0].what == "?[2Jgone?and more"


def test_a_heal_outlives_the_cutting_down_of_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        fail(tmp_path, f"failure {number}")
    monkeypatch.setattr(health.os, "getuid", lambda: 4321)
    heal(PLACE, folder=tmp_path)
    for _ in range(80):
        fail(tmp_path, "later")
        fail(tmp_path, "later")
        record_success(PLACE, folder=tmp_path)
    assert (tmp_path / f"{board_key(PLACE)}.4321.health").stat().st_size < 300_000
    fail(tmp_path, "the last")
    assert [each.what for each in failures(PLACE, folder=tmp_path)] == ["the last"]
    assert quarantined(PLACE, folder=tmp_path) is None


def test_a_line_that_was_cut_off_spoils_none_after_it(tmp_path: Path) -> None:
    fail(tmp_path, "one")
    with next(tmp_path.glob("*.health")).open("a") as file:
        file.write('{"kind": "fail')
    fail(tmp_path, "two")
    assert [each.what for each in failures(PLACE, folder=tmp_path)] == ["one", "two"]


def test_a_file_does_not_grow_without_end(tmp_path: Path) -> None:
    for number in range(100):
        fail(tmp_path, f"failure {number}")
    assert next(tmp_path.glob("*.health")).stat().st_size < 300_000
    assert failures(PLACE, folder=tmp_path)


def test_on_a_full_disk_the_place_is_marked_here_and_that_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A folder that is a file stands for a disk that takes nothing: the same errors come the same way."""
    (tmp_path / "full").write_text("")
    with caplog.at_level(logging.WARNING, "bridge.rack"):
        for what in ("one", "two", "three"):
            found = fail(tmp_path / "full", what)
    assert found is not None and quarantined(PLACE, folder=tmp_path / "full") is not None
    text = caplog.records[0].getMessage()
    assert "shelf-1 (socket://h:1): that it failed cannot be written down" in text and "Make room there" in text
    health._unwritten.clear()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full on this system")
def test_a_write_that_finds_no_room_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No space left"):
        health._append(Path("/dev/full"), ["x"])
