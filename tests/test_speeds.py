from __future__ import annotations

import json
from pathlib import Path

import pytest

from bridge.speeds import SpeedMemory, adapter_of, climb, default_file
from bridge.virtual import clock
from tests.homeless import be_homeless
from tests.virtual_link import virtual_link

LADDER = (921_600, 460_800, 230_400)


def test_what_was_proven_is_tried_first_and_nothing_above_it(tmp_path: Path) -> None:
    memory = SpeedMemory(tmp_path / "state" / "speeds.json", lambda: 1000.0)
    assert memory.order("a/1", LADDER) == LADDER
    memory.remember("a/1", 460_800)
    assert memory.order("a/1", LADDER) == LADDER[1:]
    assert memory.order("a/2", LADDER) == LADDER
    memory.remember("a/1", 115_200)
    assert memory.order("a/1", LADDER) == ()


def test_after_a_while_all_are_tried_again(tmp_path: Path) -> None:
    now = 0.0
    memory = SpeedMemory(tmp_path / "speeds.json", lambda: now)
    memory.remember("a/1", 230_400)
    now = 15 * 86_400
    assert memory.order("a/1", LADDER) == LADDER
    memory.remember("a/1", 230_400)
    assert memory.order("a/1", LADDER) == LADDER[2:]


def test_what_a_wrong_clock_has_written_does_not_count_for_ever(tmp_path: Path) -> None:
    now = 40 * 86_400.0
    memory = SpeedMemory(tmp_path / "speeds.json", lambda: now)
    memory.remember("a/1", 230_400)
    now = 10 * 86_400.0
    assert memory.order("a/1", LADDER) == LADDER
    memory.remember("a/1", 460_800)
    assert memory.order("a/1", LADDER) == LADDER[1:]


def test_a_file_that_makes_no_sense_costs_nothing(tmp_path: Path) -> None:
    file = tmp_path / "speeds.json"
    memory = SpeedMemory(file)
    numbers = (f'{{"a": {{"baud": {baud}, "at": {at}}}}}' for baud, at in (("1e999", 1), ("NaN", 1), (1, "9" * 400)))
    mistyped = '{"a": 3, "b": {"baud": "x", "at": 1}, "c": {"baud": true, "at": 1}}'
    for content in ("", "[]", "{", mistyped, "\xff", "[" * 100_000, *numbers):
        file.write_text(content)
        assert memory.order("a", LADDER) == LADDER
    memory.remember("a", 921_600)
    assert list(json.loads(file.read_text())) == ["a"]


def test_only_so_many_are_kept(tmp_path: Path) -> None:
    file = tmp_path / "speeds.json"
    memory = SpeedMemory(file, lambda: 5.0)
    for number in range(205):
        memory.remember(str(number), 921_600)
    assert list(json.loads(file.read_text())) == [str(number) for number in range(5, 205)]


def test_a_folder_that_cannot_be_written_costs_nothing(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    memory = SpeedMemory(tmp_path / "state" / "speeds.json")
    memory.remember("a", 921_600)
    assert memory.order("a", LADDER) == LADDER


def test_without_a_home_folder_nothing_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    be_homeless(monkeypatch)
    memory = SpeedMemory()
    memory.remember("a", 921_600)
    assert memory.order("a", LADDER) == LADDER


def test_ports_without_an_adapter_have_no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert adapter_of("virtual:") is None and adapter_of("/dev/pts/0") is None
    assert adapter_of("rfc2217://localhost:4000") == "rfc2217://localhost:4000"
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert default_file() == tmp_path / "nodemcu-bridge" / "speeds.json"


def test_a_link_climbs_by_what_is_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = SpeedMemory(tmp_path / "speeds.json")

    async def main() -> list[int]:
        reached = []
        async with virtual_link() as link:
            await climb(link, "virtual:", (921_600,), memory)
            reached.append(link.line.baud)
            await link.close()
        assert not (tmp_path / "speeds.json").exists(), "a virtual board has no adapter"
        for best in (460_800, None):
            async with virtual_link() as link:
                url = "rfc2217://somewhere:1"
                await climb(link, url, LADDER if best is None else (best,), memory)
                reached.append(link.line.baud)
                await link.close()
        return reached

    assert clock.run(main()) == [921_600, 460_800, 460_800]
