"""The host's side of a serial loader, for tests: makes requests, reads answers."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from bridge.virtual.chip import slip
from bridge.virtual.chip.image import checksum
from bridge.virtual.chip.loader import Loader, Output
from bridge.virtual.chip.rom import RomLoader

SYNC_DATA = b"\x07\x07\x12\x20" + 32 * b"\x55"


@dataclass(frozen=True)
class Answer:
    op: int
    value: int
    data: bytes
    status: tuple[int, int]
    at: float


def request(op: int, data: bytes = b"", check: int = 0) -> bytes:
    return slip.encode(struct.pack("<BBHI", 0, op, len(data), check) + data)


def words(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}I", *values)


def block(op: int, payload: bytes, sequence: int) -> bytes:
    return request(op, words(len(payload), sequence, 0, 0) + payload, checksum(payload))


def frames(outputs: list[Output]) -> list[tuple[bytes, float]]:
    return [(frame, output.at) for output in outputs for frame in slip.Decoder().feed(output.data)]


def answers(loader: Loader) -> list[Answer]:
    found = []
    for frame, at in frames(loader.take_outputs()):
        direction, op, size, value = struct.unpack_from("<BBHI", frame)
        assert direction == 1 and len(frame) == 8 + size
        found.append(Answer(op, value, frame[8:-2], (frame[-2], frame[-1]), at))
    return found


def ask(loader: Loader, frame: bytes, now: float) -> Answer:
    """Send one request when the loader is idle; its one answer."""
    if isinstance(loader, RomLoader):
        loader.receive_at(frame, now, 115_200)
    else:
        loader.receive(frame, now)
    (answer,) = answers(loader)
    return answer
