"""bridge/comparison/transcript.py: what counts as the same answer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bridge.comparison.transcript import blocks, difference, masked

RECORDINGS = Path(__file__).parent.parent / "ground_truth" / "recordings"


def answers(path: Path, *steps: tuple[str, str]) -> Path:
    path.write_text(json.dumps({"steps": [{kind: text} for kind, text in steps]}))
    return path


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("function: 0x3fff12a8\r\n", "function: 0x3fff0001\r\n"),
        ("44512\r\n> ", "43008\r\n> "),
        ("took \t1.2345", "took \t9.8761"),
        ("NodeMCU 3.0.0.0 built\r\n powered by Lua 5.1.4\r\n> ", "NodeMCU 2.2.1\n powered by Lua 5.1.4\r\n> "),
        (
            "\x00\xff\x8c~garbage\r\nmore\r\n\r\nNodeMCU 3 powered by Lua",
            "\r\n\r\nNodeMCU 3 powered by Lua",
        ),
        ("> rl\x8c\r\n\r\nNodeMCU 3 powered by Lua", "> sl\xff?\n\x00\r\n\r\nNodeMCU 3 powered by Lua"),
        ("> ~\x8c\r\n\r\nNodeMCU 3 powered by Lua", "> \r\n\r\nNodeMCU 3 powered by Lua"),
    ],
)
def test_what_varies_from_run_to_run_is_masked(one: str, other: str) -> None:
    assert masked(one) == masked(other)


@pytest.mark.parametrize(("one", "other"), [("> ", ">> "), ("=1\r\n1\r\n> ", "1\r\n> "), ("12\r\n", "13\r\n")])
def test_what_does_not_vary_is_not_masked(one: str, other: str) -> None:
    assert masked(one) != masked(other)


def test_how_bytes_were_split_over_reads_does_not_count(tmp_path: Path) -> None:
    one = answers(tmp_path / "1", ("send", "=1\n"), ("recv", "=1\r\n1\r\n> "))
    other = answers(tmp_path / "2", ("send", "=1\n"), ("recv", "=1\r\n"), ("recv", "1\r\n> "))
    assert blocks(one) == blocks(other)
    assert difference("x", one, other) is None


def test_an_answer_may_arrive_a_step_later(tmp_path: Path) -> None:
    one = answers(tmp_path / "1", ("send", "a"), ("recv", "A"), ("send", "b"), ("recv", "B"))
    other = answers(tmp_path / "2", ("send", "a"), ("recv", ""), ("send", "b"), ("recv", "AB"))
    assert difference("x", one, other) is None


def test_the_first_difference_is_named(tmp_path: Path) -> None:
    one = answers(
        tmp_path / "1", ("send", "a"), ("recv", "A"), ("send", "b"), ("recv", "B"), ("send", "c"), ("recv", "C")
    )
    other = answers(
        tmp_path / "2", ("send", "a"), ("recv", "A"), ("send", "b"), ("recv", "X"), ("send", "c"), ("recv", "Y")
    )
    found = difference("name", one, other)
    assert found is not None
    assert (found.scenario, found.step, found.sent, found.board, found.virtual) == ("name", 2, "b", "B", "X")


def test_a_board_that_falls_silent_differs(tmp_path: Path) -> None:
    one = answers(tmp_path / "1", ("send", "a"), ("recv", "A"))
    other = answers(tmp_path / "2", ("send", "a"), ("recv", "A"), ("send", "b"), ("recv", "B"))
    found = difference("x", one, other)
    assert found is not None
    assert (found.board, found.virtual) == (None, "B")


@pytest.mark.parametrize("name", ["repl_basic", "repl_boot", "restart"])
def test_a_recording_equals_itself(name: str) -> None:
    path = RECORDINGS / f"{name}.json"
    assert difference(name, path, path) is None
    assert len(blocks(path)) > 1


def test_what_is_shown_of_a_difference_holds_no_key(tmp_path: Path) -> None:
    one = answers(tmp_path / "1", ("send", "a"), ("recv", "A pwd='hunter22'"))
    other = answers(tmp_path / "2", ("send", "a"), ("recv", "A"))
    found = difference("x", one, other)
    assert found is not None and found.board == "A pwd='********'"
