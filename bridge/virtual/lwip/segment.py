"""What travels between the board's stack and its network: TCP segments and UDP datagrams as values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntFlag


class Flag(IntFlag):
    """TCP header flags."""

    FIN = 0x01
    SYN = 0x02
    RST = 0x04
    PSH = 0x08
    ACK = 0x10


@dataclass(frozen=True)
class Segment:
    """One TCP segment. Addresses are ints, `mss` is the option of a SYN or None."""

    source: int
    source_port: int
    target: int
    target_port: int
    seq: int
    ack: int
    flags: Flag
    window: int
    data: bytes = b""
    mss: int | None = None

    @property
    def length(self) -> int:
        """What it takes of the sequence space: SYN and FIN count one."""
        return len(self.data) + (1 if self.flags & (Flag.SYN | Flag.FIN) else 0)


@dataclass(frozen=True)
class Datagram:
    """One UDP datagram."""

    source: int
    source_port: int
    target: int
    target_port: int
    data: bytes


def seq(value: int) -> int:
    """A sequence number, wrapped to 32 bits."""
    return value & 0xFFFFFFFF


def diff(a: int, b: int) -> int:
    """a - b in sequence space, signed."""
    return ((a - b + 0x80000000) & 0xFFFFFFFF) - 0x80000000


def between(value: int, low: int, high: int) -> bool:
    """low <= value <= high in sequence space (`TCP_SEQ_BETWEEN`)."""
    return diff(value, low) >= 0 and diff(value, high) <= 0
