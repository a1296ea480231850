"""What a UART reads from a board that speaks slower than the line: its console, after a restart at a raised speed."""

from __future__ import annotations

#: So large a share of the bytes must look so.
_SHARE = 0.9


def is_slow(byte: int, slower: float) -> bool:
    """True if a UART can have read this byte from a line on which each bit is so many times as long as its own.

    It begins at a falling edge, so that only the last of its equal bits in a row may be fewer than one of the sender's.
    A byte of a frame hardly ever is so: one of 128 where the line is 8 times as fast, one of 8 where it is 2 times.
    """
    bits, runs = 0, [1]  # the start bit
    for place in range(8):
        bit = byte >> place & 1
        if bit == bits:
            runs[-1] += 1
        else:
            bits = bit
            runs.append(1)
    return all(run >= int(slower + 0.03) for run in runs[:-1])


def is_noise(segment: bytes, slower: float) -> bool:
    """True if a segment looks like what a console says that is so many times as slow as the line; 1 is none."""
    slow = sum(is_slow(byte, slower) for byte in segment) if slower > 1 else 0
    return bool(segment) and slow >= _SHARE * len(segment)


def end_of_lines(segment: bytes) -> int:
    """Where the last whole line in a segment ends: what a board prints before it restarts has no NUL behind it."""
    return segment.rfind(b"\n") + 1
