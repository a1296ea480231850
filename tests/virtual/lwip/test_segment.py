"""Segments and sequence numbers."""

from __future__ import annotations

from bridge.virtual.lwip.segment import Flag, Segment, between, diff, seq


def test_syn_and_fin_take_a_number() -> None:
    def length(flags: Flag, data: bytes) -> int:
        return Segment(1, 2, 3, 4, 5, 6, flags, 7, data).length

    assert [length(Flag.ACK, b"ab"), length(Flag.SYN, b""), length(Flag.ACK | Flag.FIN, b"ab")] == [2, 1, 3]


def test_sequence_numbers_wrap() -> None:
    assert seq(0x1_0000_0003) == 3
    assert diff(3, 0xFFFFFFFE) == 5 and diff(0xFFFFFFFE, 3) == -5
    assert between(1, 0xFFFFFFFE, 4) and not between(5, 0xFFFFFFFE, 4)
