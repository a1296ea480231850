"""What the board prints while traffic runs: apart from frames, whole and in order on a clean line; never a frame.

The texts come between any two writes of the agent's, also between the two parts of a long frame.
"""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.agent_source import digest
from bridge.wire.check import CheckKind
from bridge.wire.frame import Codec, Frame, Kind
from bridge.wire.messages import Call, Hello, Invoke, Message, Reply
from tests.campaigns.exchange import EPOCH, define
from tests.campaigns.world import LuaBoard, Mix, World

BYTES = st.one_of(
    st.binary(min_size=1, max_size=40),
    st.text(min_size=1, max_size=40).map(str.encode),
    st.sampled_from([b"\xff", b"\x02\x07", b"x" * 124, b"\xfe" * 124, bytes(range(1, 125)), b"\0\0\xff\0", b"> "]),
    st.integers(0, 31).map(
        lambda seq: Codec(CheckKind.CRC, 0x4321).encode(
            Frame(Kind.LAST, seq, 5, payload=b"\x02\x01g\0\x05stale"), to_host=True
        )
    ),
)


class Printing:
    """A board on which a program prints between any two writes of the agent's."""

    def __init__(self, board: LuaBoard, texts: list[bytes], often: float, seed: int) -> None:
        self.board, self.left, self.printed = board, list(texts), b""
        self._begun = False
        self._often, self._rng = often, random.Random(seed)
        self._output = board.output
        board.output = self.output  # type: ignore[method-assign]

    def output(self, now: float) -> list[tuple[float, bytes]]:
        out: list[tuple[float, bytes]] = []
        for when, data in self._output(now):
            # What comes before the first frame is the bootstrap's to read.
            while self._begun and self.left and self._rng.random() < self._often:
                out.append((when, self.left.pop(0)))
                self.printed += out[-1][1]
            out.append((when, data))
            self._begun = True
        return out


def play(version: str, texts: list[bytes], often: float, seed: int, mix: Mix) -> tuple[World, Printing]:
    codec = Codec(CheckKind.CRC, EPOCH)
    board = LuaBoard(codec, version, fragment=240)
    printing = Printing(board, texts, often, seed)
    world = World(board, codec, to_host=mix, seed=seed)
    define(world)
    rng = random.Random(seed)
    wanted: list[Message] = [Hello(digest().encode(), (40000, b"Lua " + version.encode()))]
    for number in range(1, 9):
        chunk = rng.randbytes(rng.choice([0, 3, 150, 500]))
        world.send(Call(71, number, (number, chunk)))
        wanted += [Invoke(7, 0, (number, chunk[::-1])), Reply(number, (number, chunk))]
    assert world.run_until(lambda: len(world.got) >= len(wanted), 60.0), world.failed
    world.run_until(lambda: False, 3.0)
    assert world.got == wanted
    return world, printing


@pytest.mark.parametrize("version", ["5.1", "5.3"])
def test_on_a_clean_line_all_that_is_printed_arrives_and_nothing_else(version: str) -> None:
    @settings(max_examples=60, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(st.lists(BYTES, max_size=25), st.floats(0.05, 0.6), st.integers(0, 2**32 - 1))
    def all_arrives(texts: list[bytes], often: float, seed: int) -> None:
        world, printing = play(version, texts, often, seed, Mix())
        assert world.console == printing.printed.replace(b"\0", b"")

    all_arrives()


@pytest.mark.nightly
@pytest.mark.parametrize("version", ["5.1", "5.3"])
def test_on_a_clean_line_all_that_is_printed_arrives_in_thousands_of_examples(version: str) -> None:
    @settings(max_examples=2000, deadline=None, database=None, suppress_health_check=list(HealthCheck), print_blob=True)
    @given(st.lists(BYTES, max_size=25), st.floats(0.05, 0.6), st.integers(0, 2**32 - 1))
    def all_arrives(texts: list[bytes], often: float, seed: int) -> None:
        world, printing = play(version, texts, often, seed, Mix())
        assert world.console == printing.printed.replace(b"\0", b"")

    all_arrives()


def test_on_a_bad_line_few_damaged_frames_show_up_as_text() -> None:
    """Nothing is printed here: all console text is damage that was not known as such."""
    shown = damaged = 0
    for seed in range(25):
        mix = Mix(drop=0.002, flip=0.002, duplicate=0.001)
        world, _ = play("5.1", [], 0.0, seed, mix)
        shown += len(world.console)
        damaged += world.host.damaged
    print(f"{damaged} damaged segments, {shown} bytes of them shown")
    assert damaged > 300 and shown < damaged


def test_on_a_bad_line_whole_lines_are_still_shown() -> None:
    lines = [b"line number %d of a program\r\n" % number for number in range(25)]
    seen = total = 0
    for seed in range(10):
        world, printing = play("5.1", lines, 0.3, seed, Mix(drop=0.001, flip=0.001, duplicate=0.001))
        printed = printing.printed.splitlines()
        seen += sum(line in world.console for line in printed)
        total += len(printed)
    assert seen / total > 0.9
