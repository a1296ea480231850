from __future__ import annotations

import random

from bridge.trace.pieces import Chunk, Note, Way


def test_what_is_settled_in_any_order_comes_out_in_place() -> None:
    data = random.Random(1).randbytes(300)
    way = Way(to_host=True)
    chunks = []
    for at in range(0, 300, 7):
        chunks.append(Chunk(at / 100, True, data[at : at + 7]))
        way.append(chunks[-1])
    runs = []
    rng = random.Random(2)
    while way.pending:
        runs.append(way.take(min(rng.randrange(1, 40), len(way.pending))))
    assert b"".join(run.data for run in runs) == data
    rng.shuffle(runs)
    for run in runs:
        assert any(chunk.open for chunk in chunks)
        run.settle(bytes(255 - byte for byte in run.data), 1)
    assert [chunk.open for chunk in chunks] == [0] * len(chunks)
    assert b"".join(chunk.kept for chunk in chunks) == bytes(255 - byte for byte in data)
    assert [len(chunk.kept) for chunk in chunks] == [len(chunk.data) for chunk in chunks]
    assert sum(chunk.elided for chunk in chunks) == len(runs)


def test_what_is_kept_may_be_longer_or_shorter() -> None:
    for kept in (b"x", b"abcdefghij"):
        way = Way(to_host=False)
        chunks = [Chunk(0.0, False, b"1234"), Chunk(1.0, False, b"56")]
        for chunk in chunks:
            way.append(chunk)
        way.take(6).settle(kept)
        assert b"".join(chunk.kept for chunk in chunks) == kept and not any(chunk.open for chunk in chunks)


def test_a_run_line_by_line() -> None:
    way = Way(to_host=True)
    for piece in (b"one\r", b"\ntw", b"o\nthree"):
        way.append(Chunk(0.0, True, piece))
    assert [line.data for line in way.take(len(way.pending)).lines()] == [b"one\r\n", b"two\n", b"three"]


def test_since_is_when_the_first_byte_came() -> None:
    way = Way(to_host=True)
    way.append(Chunk(1.0, True, b"ab"))
    way.append(Chunk(2.0, True, b"cd"))
    assert way.since == 1.0
    way.take(1)
    assert way.since == 1.0
    way.take(1)
    assert way.since == 2.0
    way.take(2)
    way.append(Chunk(3.0, True, b"ef"))
    assert way.since == 3.0


def test_a_note_is_never_open() -> None:
    assert Note(1.0, "x").open == 0
